import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { Command } from 'commander'
import { databaseGrantsSql, roles, rolesSql, type Passwords } from '../kernel/database/roles.ts'
import { addCommand, type Cli } from './command/add-command.ts'
import { outcome } from './command/outcome.ts'

interface SqlOptions {
  readonly name: string
  readonly host: string
}

export function register(program: Command, cli: Cli): void {
  const database = program.command('database').description('A PostgreSQL of your own instead of the embedded one')

  addCommand<SqlOptions>(database, cli, {
    usage: 'sql',
    summary: 'The SQL that makes database and roles, with fresh passwords, and where their URLs go',
    configure: (command) => void command
      .option('--name <database>', 'the name of the database', 'castellan')
      .option('--host <host>', 'where it stands, with a port if need be', '127.0.0.1:5432'),
    async run({ options, home }) {
      const passwords = Object.fromEntries(['castellan_owner', ...roles].map((role) => [role, randomBytes(24).toString('base64url')]))
      const urls = Object.fromEntries(Object.entries(passwords).map(([role, password]) => [
        role.replace('castellan_', ''), `postgresql://${role}:${password}@${options.host}/${encodeURIComponent(options.name)}`,
      ]))
      const sql = sqlFor(options.name, passwords)
      return outcome({ sql, urls, secrets: join(home, 'secrets') }, (data) => `${data.sql}\n${placesFor(data.urls, data.secrets)}`)
    },
  })
}

function sqlFor(name: string, passwords: Readonly<Record<string, string>>): string {
  const quoted = `"${name.replaceAll('"', '""')}"`
  return [
    '-- For psql, as a superuser of PostgreSQL 15 or later.',
    `create role castellan_owner with login password '${passwords.castellan_owner}';`,
    `create database ${quoted} owner castellan_owner;`,
    rolesSql(passwords as Passwords),
    `\\connect ${quoted}`,
    databaseGrantsSql(name),
    '',
  ].join('\n')
}

/** Said as comments, so that the whole can be piped into psql. */
function placesFor(urls: Readonly<Record<string, string>>, secrets: string): string {
  const lines = [
    'Then put each URL into a file of its own, mode 0600; nobody but Castellan should read it:',
    ...Object.entries(urls).map(([name, url]) => `  ${join(secrets, `database_${name}`)}   ${url}`),
    'and into castellan.yaml:',
    '  database:',
    '    zone: machine   # it holds everything, so it must stand on a machine of your own',
    '    urls:',
    ...Object.keys(urls).map((name) => `      ${name}: { secret: database_${name} }`),
  ]
  return lines.map((line) => `-- ${line}`).join('\n')
}
