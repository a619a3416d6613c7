import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApi, type TestApi } from '../../support/http/httpApi.ts';
import { createMigratedDatabase, projectAll } from '../../support/projections/historyDatabase.ts';
import type { TestDatabase } from '../../support/servers/postgres.ts';

/** A message, and searches that find it; with a dash before them, searches that do not. */
const SAMPLES: readonly (readonly [content: string, ...searches: string[]])[] = [
  // Signs that are no letters, whatever a locale takes them for.
  ['She said “hello” to me', 'hello', '"said hello"', '“hello”'],
  ['wait… what', 'wait', 'what', 'wait…', 'wait...'],
  ['«bonjour» madame', 'bonjour', '«bonjour»'],
  ['many thanks👍', 'thanks', '👍', 'thanks👍', '👍🏽'],
  ['it costs 50€ here', '50', '50€', 'costs 50'],
  ['a—b–c·d', '"b c"', 'd '],
  ['registered™ trade®', 'registered', 'trade'],
  // Scripts without spaces.
  ['我家在，上海，东边', '上海', '东边', '我', '我家', '- 上边'],
  ['我们明天去上海市中心吃饭', '上海', '上海市', '市中心', '"去上海"', '饭', '- 海上'],
  ['今日は東京タワーに行きます', '東京', 'タワー', 'ﾀﾜｰ', '行きます'],
  ['ｶﾞﾗｽの靴', 'ガラス', 'ｶﾞﾗｽ'],
  ['ผมรักภาษาไทยมาก', 'ภาษาไทย', 'รัก'],
  ['나는 학교에서 공부한다', '학교', '학교에서', '공부', '학교'.normalize('NFD')],
  // Names of things that are made of words.
  ['see report.pdf please', 'report', 'pdf', 'report.pdf', 'reportpdf'],
  ['yes/no question', 'yes', 'no', 'yes/no'],
  ['part ABC-1234 broke', '1234', 'abc', 'ABC-1234', 'abc1234', '- ABC-123 '],
  [
    'look: https://example.com/a/Some-Page_1.html?id=42&x=y#part',
    'https://example.com/a/Some-Page_1.html?id=42&x=y#part',
    ...['example.com', 'some-page', '42', '#part', 'example'],
  ],
  ['mail me at jane.doe@mail.example.org', 'jane.doe@mail.example.org', 'jane', '@mail.example.org', 'doe'],
  ['@janet saw #weekend plans', '@janet', '#weekend', 'janet', 'weekend', '@jan', '- #plans'],
  ['I write C++ and C#', 'C++', 'c#', '- C+ '],
  ['node.js v1.2.3 is out', 'node.js', 'nodejs', 'v1.2.3', 'v1', '- v1.23', '- v12.3'],
  ['open src/a/b/c.txt', 'a/b/c.txt', 'b/c', 'c.txt', 'src'],
  ['at 10:30 on 2026-11-28', '10:30', '2026-11-28', '2026', '30 ', '- 2026-12'],
  ['worth 1,000.50 dollars', '1,000.50', '"1,000.50"', '000'],
  [
    'call getUserName of max_retry_count',
    'getusername',
    'user',
    'name',
    'max_retry_count',
    'retry',
    'getUserName',
  ],
  ['wi-fi is down', 'wifi', 'wi-fi', 'wi', 'Wi‐Fi'],
  // One word in many forms.
  ['un cafe\u0301 noir', 'café', 'cafe', 'cafe\u0301', 'CAFE\u0301'],
  ['a plain latte', 'latte', '- latté'],
  ['ｆｕｌｌ ｗｉｄｔｈ １２', 'full width', 'WIDTH', '12 '],
  ['ΛΌΓΟΣ', 'λόγος', 'ΛΌΓΟΣ', 'λόγοσ', 'λογος'],
  ['Die STRASSE', 'Straße', 'strasse', 'straẞe'],
  ["we don't know", 'don’t', "don't", 'don´t', 'dont', '"don’t know"'],
  ['l’école est finie', 'école', "l'ecole", 'ecole'],
  ['İzmir ve ISPARTA', 'izmir', 'İZMİR', 'isparta'],
  ['новая ёлка', 'ЁЛКА', 'елка'],
  ['مَرْحَبًا بالعالم', 'مرحبا', 'بالعالم', 'مَرْحَبًا', 'مرحـــبا'],
  ['נאמר שָׁלוֹם לכולם', 'שלום', 'שָׁלוֹם', 'לכולם'],
  ['मुझे हिन्दी पसंद है', 'हिन्दी', 'पसंद'],
  ['தமிழ் மொழி', 'தமிழ்', 'மொழி'],
  // What is not seen.
  ['a so\u00adft hyp\u200bhen', 'soft', 'hyphen', 'hy\u00adphen'],
  ['\ufefffirst\u2060last', 'firstlast'],
  ['the family 👨‍👩‍👧 came', '👨‍👩‍👧', '👩', 'family'],
  ['go 🇩🇪 go', '🇩🇪', '- 🇫🇷'],
  ['press 1️⃣ now', '1️⃣', '1 '],
];

let database: TestDatabase;
let api: TestApi;
const contents = new Map<string, string>();

beforeAll(async () => {
  database = await createMigratedDatabase();
  api = await startTestApi({ databaseUrl: database.url });
  // A conversation of its own for each: so what is found is this message.
  for (const [content] of SAMPLES) {
    const { id } = (await api.call('POST', '/api/chat/conversations', { userId: 'alice' })).body.conversation;
    await api.call('POST', '/api/chat/messages', { conversationId: id, userId: 'alice', content });
    contents.set(content, id);
  }
  await projectAll(api);
});
afterAll(async () => {
  await api.stop();
  await database.drop();
});

async function hits(content: string, q: string) {
  const query = new URLSearchParams({ userId: 'alice', q, conversationId: contents.get(content) ?? '' });
  const { status, body } = await api.call('GET', `/api/chat/search?${query}`);
  expect(status).toBe(200);
  return body.messages as { content: string; highlight: string }[];
}

describe('words are found as people write them', () => {
  it.each(SAMPLES)('in %s', async (content, ...searches) => {
    for (const search of searches) {
      const isMiss = search.startsWith('- ');
      const found = await hits(content, isMiss ? search.slice(2) : search);
      expect([search, found.map((hit) => hit.content)]).toEqual([search, isMiss ? [] : [content]]);
      // What is found is marked, and nothing but marks is added to the text.
      for (const { highlight } of found) {
        expect(highlight).toContain('<mark>');
        const plain = highlight.replaceAll(/<\/?mark>/g, '').replaceAll('&amp;', '&');
        expect(plain).toBe(content.normalize('NFC'));
      }
    }
  });

  it('in all of one’s conversations', async () => {
    const { body } = await api.call('GET', `/api/chat/search?userId=alice&q=${encodeURIComponent('上海')}`);
    expect(body.messages).toHaveLength(2);
  });
});
