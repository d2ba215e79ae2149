import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { testDatabase } from '../../../test/support/database.ts'

const source = ['schema.ts', 'schema-columns.ts', 'schema-runs.ts', 'schema-ledger.ts', 'schema-outbox.ts', 'schema-spending.ts', 'schema-batches.ts', 'schema-alerts.ts'].map((file) => readFileSync(join(import.meta.dirname, file), 'utf8')).join('\n')

/** Interfaces of the source with their own members and those of what they extend. */
function membersOf(name: string): Map<string, string> {
  const [, parents = '', body = ''] = new RegExp(`interface ${name}(?: extends ([\\w, ]+))? \\{\\n([^]*?)\\n\\}`).exec(source) ?? assert.fail(`no interface ${name}`)
  const own = [...body.matchAll(/^ {2}(\w+): (.+)$/gm)].map(([, member, type]) => [member!, type!] as const)
  return new Map([...parents.split(', ').filter(Boolean).flatMap((parent) => [...membersOf(parent)]), ...own])
}

test('the table types name every table and column of the migrations, and which of them may be null', async (t) => {
  const db = await testDatabase(t)
  const { rows } = await db.owner.pool.query<{ table: string; column: string; nullable: boolean; given: boolean }>(
    `select table_name as table, column_name as column, is_nullable = 'YES' as nullable, column_default is not null or is_identity = 'YES' as given
     from information_schema.columns where table_schema = 'castellan'`,
  )
  const real = rows.map(({ table, column, nullable, given }) => `${table}.${column}${nullable ? ' null' : ''}${given ? ' default' : ''}`)
  const typed = [...membersOf('Schema')].flatMap(([table, type]) =>
    [...membersOf(type.split('.')[1]!)].map(([column, type]) => {
      const nullable = type.startsWith('Nullable')
      const given = /^Generated|ColumnType<\w+, never/.test(type)
      return `${table}.${column}${nullable ? ' null' : ''}${given ? ' default' : ''}`
    }),
  )
  // a default that may also be null is written as nullable
  const plain = (list: string[]) => list.map((line) => line.replace(' null default', ' null')).sort()
  assert.deepEqual(plain(typed), plain(real))
})
