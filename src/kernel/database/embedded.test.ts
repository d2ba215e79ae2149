import assert from 'node:assert/strict'
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { fastFolder } from '../../../test/support/fast-folder.ts'
import { unprivilegedUser } from '../../../test/support/unprivileged-user.ts'
import { Fault } from '../fault.ts'
import { connect, type Connection } from './connect.ts'
import { assertReachable, findBinaries } from './embedded-binaries.ts'
import { serverArguments } from './embedded-settings.ts'
import { startPostgres, type Postgres, type PostgresOptions } from './embedded.ts'

const isRoot = process.getuid?.() === 0
const user = isRoot ? unprivilegedUser() : undefined

interface Home {
  readonly data: string
  readonly passwordFile: string
  start(more?: Partial<PostgresOptions>): Promise<Postgres>
}

/** A folder with servers that are stopped, and removed, after the test. */
function makeHome(t: TestContext): Home {
  const root = mkdtempSync(join(fastFolder(), 'castellan-pg-'))
  chmodSync(root, 0o711)
  const started: Postgres[] = []
  t.after(async () => {
    for (const server of started) await server.stop('immediate')
    rmSync(root, { recursive: true, force: true })
  })
  return {
    data: join(root, 'database', 'data'),
    passwordFile: join(root, 'database', 'owner.password'),
    start: async (more) => {
      const server = await startPostgres({ folder: join(root, 'database'), socketFolder: join(root, 's'), user, unsafeInit: true, settings: { fsync: 'off', dynamic_shared_memory_type: 'mmap' }, ...more })
      started.push(server)
      return server
    },
  }
}

async function query(connection: Connection, text: string): Promise<Record<string, unknown>[]> {
  const database = connect(connection, { max: 1 })
  try {
    return (await database.pool.query(text)).rows
  } finally {
    await database.close()
  }
}

const fails = (code: string, says: RegExp) => (error: unknown) => {
  assert.ok(error instanceof Fault, String(error))
  assert.equal(error.code, code, error.message)
  assert.match(error.message, says)
  return true
}

async function gone(pid: number): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0)
      if (readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z')) return
    } catch {
      return
    }
    await turn()
  }
}

describe('embedded PostgreSQL', () => {
  test('keeps its data over a stop and over a crash, and lets nobody in without the password', async (t) => {
    const home = makeHome(t)
    const first = await home.start()
    await query(first.connection, 'create table public.kept (n int); insert into public.kept values (7)')
    assert.equal(statSync(home.data).mode & 0o777, 0o700)
    assert.equal(statSync(home.passwordFile).mode & 0o777, 0o600)
    assert.deepEqual(await query(first.connection, 'show listen_addresses'), [{ listen_addresses: '' }])
    await assert.rejects(query({ ...first.connection, password: 'guess' }, 'select 1'), fails('database.refused', /password/))
    await assert.rejects(query({ ...first.connection, user: 'nobody' }, 'select 1'), fails('database.refused', /password/))
    await first.stop('fast')
    assert.deepEqual(await first.exited, { code: 0, signal: null })

    const second = await home.start()
    assert.deepEqual(await query(second.connection, 'update public.kept set n = n + 1 returning n'), [{ n: 8 }])
    await second.stop('immediate')
    const third = await home.start()
    assert.deepEqual(await query(third.connection, 'select n from public.kept'), [{ n: 8 }])
    await assert.rejects(async () => query({ ...first.connection, host: home.data }, 'select 1'), fails('database.unavailable', /castellan up/))
  })

  test('starts after its server was killed, and after one that left its sessions behind', async (t) => {
    const home = makeHome(t)
    const first = await home.start()
    const database = connect(first.connection, { max: 1 })
    await database.pool.query('select 1')
    process.kill(first.pid, 'SIGKILL')
    assert.equal((await first.exited).signal, 'SIGKILL')
    const second = await home.start()
    assert.notEqual(second.pid, first.pid)
    assert.deepEqual(await query(second.connection, 'select 1 as one'), [{ one: 1 }])
    await database.close()
  })

  test('refuses a second server on the same folder', async (t) => {
    const home = makeHome(t)
    await home.start()
    await assert.rejects(home.start(), fails('database.in_use', new RegExp(`pid ${process.pid}`)))
  })

  test('stops a server that nobody holds any more, and starts its own', async (t) => {
    const home = makeHome(t)
    const first = await home.start()
    await first.stop('fast')
    const folder = { data: home.data, passwordFile: '', logFile: '', starterFile: '' }
    const quote = (words: string[]) => words.map((word) => `'${word}'`).join(' ')
    // a shell that ends at once leaves the server without a parent
    const abandoned = spawnSync('sh', ['-c', `${quote([findBinaries().postgres, ...serverArguments(folder, first.connection.host, 5432)])} >/dev/null 2>&1 &`], {
      ...(user && { uid: user.uid, gid: user.gid }),
      cwd: '/',
    })
    assert.equal(abandoned.status, 0)
    while (!existsSync(join(home.data, 'postmaster.pid')) || !readFileSync(join(home.data, 'postmaster.pid'), 'utf8').includes('ready')) await turn()
    const orphan = Number(readFileSync(join(home.data, 'postmaster.pid'), 'utf8').split('\n')[0])
    const said: object[] = []
    const second = await home.start({ log: { info: () => {}, warn: (fields) => void said.push(fields) } })
    assert.deepEqual(said, [{ pid: orphan }])
    assert.notEqual(second.pid, orphan)
    await gone(orphan)
  })

  test('ends with the process that started it', { skip: process.platform !== 'linux' && 'only Linux can promise that' }, async (t) => {
    const home = makeHome(t)
    const options = { folder: join(home.data, '..'), socketFolder: join(home.data, '..', '..', 's'), user, unsafeInit: true }
    const script = `const { startPostgres } = await import(process.argv[1]); console.log((await startPostgres(JSON.parse(process.argv[2]))).pid); setInterval(() => {}, 1000)`
    const child = spawn(process.execPath, ['--input-type=module', '-e', script, join(import.meta.dirname, 'embedded.ts'), JSON.stringify(options)], { stdio: ['ignore', 'pipe', 'inherit'] })
    const [line] = (await once(child.stdout, 'data')) as [Buffer]
    child.kill('SIGKILL')
    await gone(Number(line))
    await home.start()
  })

  test('a pid file that names some other living process does not stop the start', async (t) => {
    const home = makeHome(t)
    const first = await home.start()
    const lines = readFileSync(join(home.data, 'postmaster.pid'), 'utf8').split('\n')
    await first.stop('fast')
    const stranger = spawn('sleep', ['1000'], user && { uid: user.uid, gid: user.gid })
    t.after(() => stranger.kill())
    writeFileSync(join(home.data, 'postmaster.pid'), [stranger.pid, ...lines.slice(1)].join('\n'))
    await home.start()
    assert.equal(stranger.exitCode ?? stranger.signalCode, null, 'the other process was left alone')
  })

  test('a lost password file is made anew', async (t) => {
    const home = makeHome(t)
    const first = await home.start()
    await first.stop('fast')
    rmSync(home.passwordFile)
    const second = await home.start()
    assert.notEqual(second.connection.password, first.connection.password)
    await assert.rejects(query(first.connection, 'select 1'), fails('database.refused', /password/))
  })

  test('an initialisation that was killed is begun again', async (t) => {
    const home = makeHome(t)
    mkdirSync(join(home.data, '..'))
    if (user) chownSync(join(home.data, '..'), user.uid, user.gid)
    chmodSync(join(home.data, '..'), 0o700)
    mkdirSync(`${home.data}.new`)
    writeFileSync(join(`${home.data}.new`, 'PG_VERSION'), '18')
    await home.start()
  })

  test('a data folder that others may read, of another version, or without one is refused', async (t) => {
    const home = makeHome(t)
    await (await home.start()).stop('fast')
    chmodSync(home.data, 0o755)
    await assert.rejects(home.start(), fails('database.folder_mode', /0755.*chmod 700/))
    chmodSync(home.data, 0o700)
    writeFileSync(join(home.data, 'PG_VERSION'), '17\n')
    await assert.rejects(home.start(), fails('database.version', /PostgreSQL 17.*PostgreSQL 18/))
    rmSync(join(home.data, 'PG_VERSION'))
    await assert.rejects(home.start(), fails('database.folder_broken', /PG_VERSION/))
    if (isRoot) {
      chownSync(home.data, 0, 0)
      await assert.rejects(home.start(), fails('database.folder_owner', /chown/))
    }
  })

  test('root is refused, and so is a path that no socket can have', async (t) => {
    const home = makeHome(t)
    if (isRoot) await assert.rejects(home.start({ user: undefined }), fails('database.root', /another user/))
    await assert.rejects(home.start({ socketFolder: join(tmpdir(), 'x'.repeat(90)) }), fails('database.socket_path', /shorter/))
  })

  test('a folder on the way that keeps the user out is named', (t) => {
    const closed = mkdtempSync(join(tmpdir(), 'castellan-closed-'))
    t.after(() => rmSync(closed, { recursive: true }))
    mkdirSync(join(closed, 'bin'))
    const stranger = { uid: 4_242_424, gid: 4_242_424, name: 'stranger' }
    assert.throws(() => assertReachable(join(closed, 'bin', 'postgres'), stranger, 'its programs'), fails('database.unreachable', new RegExp(`stranger cannot reach its programs: ${closed} keeps`)))
    chmodSync(closed, 0o711)
    assertReachable(join(closed, 'bin', 'postgres'), stranger, 'its programs')
  })

  test('a full disk is called a full disk', async (t) => {
    const home = makeHome(t)
    const folder = join(home.data, '..')
    mkdirSync(folder)
    if (!isRoot || spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=20m', 'tmpfs', folder]).status !== 0) return t.skip('takes the right to mount a small disk')
    try {
      chownSync(folder, user!.uid, user!.gid)
      chmodSync(folder, 0o700)
      await assert.rejects(home.start(), fails('database.disk_full', /make room/))
      assert.deepEqual([existsSync(home.data), existsSync(`${home.data}.new`)], [false, false], 'nothing half done is left')
      execFileSync('mount', ['-o', 'remount,size=200m', folder])
      await (await home.start()).stop('fast')
      spawnSync('dd', ['if=/dev/zero', `of=${folder}/fill`, 'bs=64k'])
      await assert.rejects(home.start(), fails('database.disk_full', /make room/))
    } finally {
      execFileSync('umount', ['-l', folder])
    }
  })
})
