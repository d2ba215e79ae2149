import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { testDatabase } from '../../../test/support/database.ts'
import { Fault } from '../fault.ts'
import { connect } from './connect.ts'

const db = await testDatabase()

const isFault = (code: string, says: RegExp) => (error: unknown) => {
  assert.ok(error instanceof Fault, String(error))
  assert.equal(error.code, code)
  assert.match(error.message, says)
  assert.ok(!JSON.stringify(error).includes(db.connection('castellan_server').password + '"'))
  return true
}

describe('connect', () => {
  test('sees our tables without naming their schema, and typed', async () => {
    const server = db.as('castellan_server')
    assert.deepEqual(await server.kysely.selectFrom('run').select(['id', 'state', 'label_level']).execute(), [])
    const { rows } = await server.pool.query('show search_path')
    assert.deepEqual(rows, [{ search_path: 'castellan' }])
  })

  test('whole numbers and decimals come as numbers, moments as dates, days and spans as text', async () => {
    const { rows } = await db.owner.pool.query(
      `select count(*) as n, array[1, null]::int8[] as list, sum(2::int8) as total, 0.1 + 0.2 as money, '{1.5}'::numeric[] as decimals, 100000000000.000000 as long,
         '2026-02-03T04:05:06.789Z'::timestamptz as at, date '2026-02-03' as day, timestamp '2026-02-03 04:05' as local, interval '90 minutes' as span,
         '7'::xid8 as xid, '{"a": [1]}'::jsonb as json, '\\x01'::bytea as bytes`,
    )
    assert.deepEqual(rows, [
      {
        n: 1, list: [1, null], total: 2, money: 0.3, decimals: [1.5], long: 100_000_000_000, at: new Date('2026-02-03T04:05:06.789Z'), day: '2026-02-03',
        local: '2026-02-03 04:05:00', span: '01:30:00', xid: '7', json: { a: [1] }, bytes: Buffer.from([1]),
      },
    ])
  })

  test('a number that JavaScript cannot hold fails the query instead of being rounded', async () => {
    for (const value of ['9007199254740993::int8', '1234567890.12345678', `'NaN'::numeric`, 'array[9007199254740993]']) {
      await assert.rejects(db.owner.pool.query(`select ${value} as value`), /as text/, value)
    }
    assert.deepEqual((await db.owner.pool.query('select 1 as still')).rows, [{ still: 1 }])
  })

  test('a transaction is whole or not at all', async () => {
    await db.owner.transaction((client) => client.query(`insert into lane values ('kept', 'open', 1)`))
    await assert.rejects(
      db.owner.transaction(async (client) => {
        await client.query(`insert into lane values ('lost', 'open', 1)`)
        throw new Error('changed my mind')
      }),
      /changed my mind/,
    )
    await assert.rejects(
      db.owner.transaction(async (client) => {
        await client.query(`insert into lane values ('lost', 'open', 1)`)
        await client.query('select 1 / 0').catch(() => {})
      }),
      /rolled back/,
      'PostgreSQL does not report this by itself',
    )
    assert.deepEqual((await db.owner.kysely.selectFrom('lane').select('name').execute()).map((lane) => lane.name), ['kept'])
  })

  test('a connection that dies, idle or inside a transaction, ends no process, and the next query gets another', async () => {
    const lost: Error[] = []
    const database = connect(db.connection('castellan_server'), { max: 1, onLost: (error) => lost.push(error) })
    const pid = async (query: { query: typeof database.pool.query }) => (await query.query('select pg_backend_pid() as pid')).rows[0].pid as number
    const gone = new Promise((resolve) => database.pool.once('remove', resolve))
    await db.owner.pool.query('select pg_terminate_backend($1)', [await pid(database.pool)])
    await gone
    assert.equal(lost.length, 1)
    await assert.rejects(
      database.transaction(async (client) => {
        const ended = new Promise((resolve) => client.once('end', resolve))
        await db.owner.pool.query('select pg_terminate_backend($1)', [await pid(client as never)])
        await ended
        await client.query('select 1')
      }),
    )
    assert.ok((await pid(database.pool)) > 0)
    await database.close()
  })

  test('hears of each statement that the role may not make, however it was asked, and of nothing else', async () => {
    const heard: string[] = []
    const database = connect(db.connection('castellan_worker_open'), { max: 1, onRefused: (code) => heard.push(code) })
    await assert.rejects(database.pool.query('select * from draft'), { code: '42501' })
    await assert.rejects(database.transaction((client) => client.query('delete from audit_event')), { code: '42501' })
    await assert.rejects(database.kysely.selectFrom('web_session').selectAll().execute(), { code: '42501' })
    await database.pool.query(`do $$ begin perform 1 from draft; exception when insufficient_privilege then null; end $$`)
    await assert.rejects(database.pool.query('select 1 / 0'), { code: '22012' })
    await assert.rejects(database.pool.query('no statement'), { code: '42601' })
    assert.deepEqual(heard, ['42501', '42501', '42501'])
    await database.close()
  })

  test('failures to connect say what to do, and never the password', async () => {
    const connection = db.connection('castellan_server')
    const attempt = async (change: object, options = {}) => {
      const database = connect({ ...connection, ...change }, options)
      try {
        await database.kysely.selectFrom('run').select('id').execute()
      } finally {
        await database.close()
      }
    }
    await assert.rejects(attempt({ port: 1 }), isFault('database.unavailable', /castellan up/))
    await assert.rejects(attempt({ host: '/nowhere' }), isFault('database.unavailable', /nowhere/))
    await assert.rejects(attempt({ host: 'no-such-host.invalid' }), isFault('database.unavailable', /cannot be reached/))
    await assert.rejects(attempt({ password: 'wrong' }), isFault('database.refused', /castellan_server/))
    await assert.rejects(attempt({ database: 'castellan_absent' }), isFault('database.refused', /castellan_absent/))
  })

  test('a pool whose connections are all in use says so instead of waiting for ever', async () => {
    const database = connect(db.connection('castellan_server'), { max: 1, timeoutMs: 500 })
    const client = await database.pool.connect()
    await assert.rejects(database.pool.query('select 1'), isFault('database.unavailable', /stayed in use/))
    await assert.rejects(database.transaction(async () => {}), isFault('database.unavailable', /stayed in use/))
    client.release()
    await Promise.all([database.close(), database.close()])
  })
})
