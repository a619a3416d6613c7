import { describe, it } from 'vitest';
import type { ConversationEvent } from '../../../../src/domain/conversation/events.ts';
import { PARTICIPANTS_MAX } from '../../../../src/domain/conversation/state.ts';
import { C1, created, T0, T1 } from '../../../support/domain/conversations.ts';
import { given } from '../../../support/domain/specification.ts';

const by = (userId: string) => ({ conversationId: C1, userId, at: T1 });
const users = (count: number) => Array.from({ length: count }, (_, index) => `u${index}`);

describe('creating a conversation', () => {
  const create = {
    type: 'CreateConversation',
    conversationId: C1,
    userId: 'alice',
    at: T0,
    title: 'Tea',
    visibility: 'members',
    participantIds: ['bob'],
  } as const;

  it('makes the creator the first participant', () => {
    given([]).when(create).thenEvent(created());
  });

  it('counts everybody once, however often named', () => {
    given([])
      .when({ ...create, participantIds: ['bob', 'alice', 'bob'] })
      .thenEvent(created());
  });

  it('works for oneself alone, untitled and open', () => {
    given([])
      .when({ ...create, participantIds: [], title: null, visibility: 'open' })
      .thenEvent(created({ participantIds: ['alice'], title: null, visibility: 'open' }));
  });

  it('is refused when the id is taken', () => {
    given([created()]).when(create).thenRejected('ConversationAlreadyExists');
  });

  it('takes as many participants as the bound allows, the creator included', () => {
    const participantIds = users(PARTICIPANTS_MAX - 1);
    given([])
      .when({ ...create, participantIds })
      .thenEvent(created({ participantIds: ['alice', ...participantIds] }));
  });

  it('is refused with one participant more', () => {
    given([])
      .when({ ...create, participantIds: users(PARTICIPANTS_MAX) })
      .thenRejected('TooManyParticipants');
  });
});

describe('renaming a conversation', () => {
  const rename = (userId: string, title: string | null) =>
    ({ type: 'RenameConversation', ...by(userId), title }) as const;
  const renamed = (title: string | null): ConversationEvent => ({
    type: 'ConversationRenamed',
    v: 1,
    ...by('bob'),
    state: { ...created().state, title },
  });

  it('carries the whole state with the new title', () => {
    given([created()]).when(rename('bob', 'Coffee')).thenEvent(renamed('Coffee'));
  });

  it('may take the title away', () => {
    given([created()]).when(rename('bob', null)).thenEvent(renamed(null));
  });

  it('to the title it has changes nothing', () => {
    given([created(), renamed('Coffee')])
      .when(rename('alice', 'Coffee'))
      .thenNothing();
  });

  it('is open to participants only', () => {
    given([created({ visibility: 'open' })])
      .when(rename('eve', 'Mine'))
      .thenRejected('NotAParticipant');
  });
});

describe('archiving a conversation', () => {
  const archive = (userId: string, archived: boolean) =>
    ({ type: 'ArchiveConversation', ...by(userId), archived }) as const;
  const archived = (value: boolean): ConversationEvent => ({
    type: 'ConversationArchived',
    v: 1,
    ...by('alice'),
    state: { ...created().state, archived: value },
  });

  it('sets the flag', () => {
    given([created()]).when(archive('alice', true)).thenEvent(archived(true));
  });

  it('can be taken back', () => {
    given([created(), archived(true)])
      .when(archive('alice', false))
      .thenEvent(archived(false));
  });

  it.each([true, false])('to what it is (%s) changes nothing', (value) => {
    given([created(), archived(value)])
      .when(archive('bob', value))
      .thenNothing();
  });

  it('is open to participants only', () => {
    given([created({ visibility: 'open' })])
      .when(archive('eve', true))
      .thenRejected('NotAParticipant');
  });
});

describe('adding participants', () => {
  const add = (userId: string, ...participantIds: string[]) =>
    ({ type: 'AddParticipants', ...by(userId), participantIds }) as const;

  it('appends those who are new, once each, and names only them', () => {
    given([created()])
      .when(add('alice', 'carol', 'bob', 'dave', 'carol'))
      .thenEvent({
        type: 'ParticipantAdded',
        v: 1,
        ...by('alice'),
        participantIds: ['carol', 'dave'],
        state: { ...created().state, participantIds: ['alice', 'bob', 'carol', 'dave'] },
      });
  });

  it('who all are there already changes nothing', () => {
    given([created()]).when(add('alice', 'bob')).thenNothing();
  });

  it('lets anybody join an open conversation', () => {
    const state = created({ visibility: 'open' }).state;
    given([created({ visibility: 'open' })])
      .when(add('eve', 'eve'))
      .thenEvent({
        type: 'ParticipantAdded',
        v: 1,
        ...by('eve'),
        participantIds: ['eve'],
        state: { ...state, participantIds: ['alice', 'bob', 'eve'] },
      });
  });

  it('lets nobody from outside bring others along', () => {
    given([created({ visibility: 'open' })])
      .when(add('eve', 'eve', 'mallory'))
      .thenRejected('NotAParticipant');
  });

  it('is refused beyond the bound', () => {
    const full = ['alice', ...users(PARTICIPANTS_MAX - 1)];
    given([created({ participantIds: full })])
      .when(add('alice', 'carol'))
      .thenRejected('TooManyParticipants');
  });

  it('fills the last place', () => {
    const participantIds = ['alice', ...users(PARTICIPANTS_MAX - 2)];
    const before = created({ participantIds });
    given([before])
      .when(add('alice', 'carol'))
      .thenEvent({
        type: 'ParticipantAdded',
        v: 1,
        ...by('alice'),
        participantIds: ['carol'],
        state: { ...before.state, participantIds: [...participantIds, 'carol'] },
      });
  });
});

describe('removing participants', () => {
  const remove = (userId: string, ...participantIds: string[]) =>
    ({ type: 'RemoveParticipants', ...by(userId), participantIds }) as const;

  it('takes out those who are there and names only them', () => {
    const before = created({ participantIds: ['alice', 'bob', 'carol'] });
    given([before])
      .when(remove('alice', 'carol', 'nobody', 'carol'))
      .thenEvent({
        type: 'ParticipantRemoved',
        v: 1,
        ...by('alice'),
        participantIds: ['carol'],
        state: { ...before.state, participantIds: ['alice', 'bob'] },
      });
  });

  it('lets somebody leave, even the creator', () => {
    given([created()])
      .when(remove('alice', 'alice'))
      .thenEvent({
        type: 'ParticipantRemoved',
        v: 1,
        ...by('alice'),
        participantIds: ['alice'],
        state: { ...created().state, participantIds: ['bob'] },
      });
  });

  it('who are not there changes nothing', () => {
    given([created()]).when(remove('alice', 'carol')).thenNothing();
  });

  it('is open to participants only', () => {
    given([created({ visibility: 'open' })])
      .when(remove('eve', 'bob'))
      .thenRejected('NotAParticipant');
  });
});

describe('a conversation that is missing or closed to the user', () => {
  const commands = [
    { type: 'RenameConversation', ...by('eve'), title: 'x' },
    { type: 'ArchiveConversation', ...by('eve'), archived: true },
    { type: 'AddParticipants', ...by('eve'), participantIds: ['eve'] },
    { type: 'RemoveParticipants', ...by('eve'), participantIds: ['bob'] },
  ] as const;

  it.each(commands)('answers $type as if it did not exist', (command) => {
    given([]).when(command).thenRejected('ConversationNotFound');
    given([created()]).when(command).thenRejected('ConversationNotFound');
  });

  it('is closed again to somebody who was removed', () => {
    const removed: ConversationEvent = {
      type: 'ParticipantRemoved',
      v: 1,
      ...by('alice'),
      participantIds: ['bob'],
      state: created({ participantIds: ['alice'] }).state,
    };
    given([created(), removed])
      .when({ type: 'RenameConversation', ...by('bob'), title: 'x' })
      .thenRejected('ConversationNotFound');
  });
});
