import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, chmodSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { openEgressProxy, type EgressProxy } from '../src/egress/index.ts'
import { createSandbox } from '../src/sandbox/create-sandbox.ts'
import { credentialFile } from '../src/sandbox/through-egress.ts'
import { makeCertificate } from './support/certificate.ts'

const missing = ['/usr/bin/bwrap', '/usr/bin/curl'].filter((program) => !existsSync(program))
const skip = missing.length > 0 ? `${missing.join(' and ')} missing: apt install bubblewrap curl` : false

const certificate = makeCertificate('DNS:api.example.test,DNS:other.example.test')
/** A server on loopback that speaks TLS, and says by which name it was asked. */
async function tlsServer(t: TestContext, answer: { status?: number; headers?: Record<string, string>; body?: string } = {}) {
  const asked: string[] = []
  const server = createTlsServer({ key: certificate.key, cert: certificate.certificate }, (request, response) => {
    asked.push(`${request.method} ${request.headers.host} ${request.url}`)
    response.writeHead(answer.status ?? 200, answer.headers).end(answer.body ?? 'good day')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, asked }
}

interface Row { id: string; host: string; port: number; address: string; outcome?: string; up?: number; down?: number }

interface House {
  readonly rows: Row[]
  readonly refused: [asked: string, reason: string][]
  readonly looked: string[]
  curl(...args: string[]): Promise<{ exitCode: number; stdout: string; stderr: string }>
  run(argv: string[], credential?: string): Promise<{ exitCode: number; stdout: string; stderr: string }>
  readonly proxy: EgressProxy
}

/** A sandbox whose commands may reach `destinations`, with a name server that answers what it is told, one answer a question. */
async function house(t: TestContext, destinations: { host: string; port: number }[], { isPrivate = true, answers = [['127.0.0.1']], limits = {} }: { isPrivate?: boolean; answers?: string[][]; limits?: object } = {}): Promise<House> {
  const folder = mkdtempSync(join(tmpdir(), 'castellan-egress-'))
  chmodSync(folder, 0o755) // bubblewrap is started as nobody when root runs this
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const ca = join(folder, 'ca.pem')
  writeFileSync(ca, certificate.certificate, { mode: 0o644 })
  const [rows, refused, looked]: [Row[], [string, string][], string[]] = [[], [], []]
  const proxy = await openEgressProxy(join(folder, 'socket'), {
    destinations, isPrivate, limits,
    lookup: async (host) => {
      looked.push(host)
      return answers[Math.min(looked.length, answers.length) - 1]!
    },
    ledger: {
      opened: async (connection) => {
        rows.push({ id: String(rows.length), ...connection })
        return String(rows.length - 1)
      },
      closed: async (id, end) => void Object.assign(rows[Number(id)]!, end),
      refused: async (asked, reason) => void refused.push([asked, reason]),
    },
  })
  t.after(() => proxy.close())
  const sandbox = await createSandbox()
  const run = async (argv: string[], credential?: string) => {
    const result = await sandbox.run({
      argv, egress: { socket: join(folder, 'socket'), credential }, folders: [{ path: ca, access: 'read' }], limits: { timeoutMs: 20_000 },
    })
    return { exitCode: result.exitCode, stdout: result.stdout.toString(), stderr: result.stderr.toString() }
  }
  return { rows, refused, looked, run, proxy, curl: (...args) => run(['/usr/bin/curl', '--silent', '--show-error', '--max-time', '8', '--cacert', ca, ...args]) }
}

test('a declared host is reached, and the ledger has the connection with its bytes', { skip }, async (t) => {
  const server = await tlsServer(t)
  const { curl, rows, refused, proxy } = await house(t, [{ host: 'api.example.test', port: server.port }])
  const { exitCode, stdout, stderr } = await curl(`https://api.example.test:${server.port}/leads`)
  assert.deepEqual([exitCode, stdout], [0, 'good day'], stderr)
  assert.deepEqual(server.asked, [`GET api.example.test:${server.port} /leads`])
  await proxy.close()
  assert.deepEqual([rows.length, rows[0]!.host, rows[0]!.address, refused], [1, 'api.example.test', '127.0.0.1', []])
  assert.match(rows[0]!.outcome!, /^(?:closed|ended)$/)
  assert.ok(rows[0]!.up! > 200 && rows[0]!.down! > 200)
})

test('another host, another port, an address, and what is no host are refused before anything is looked up or connected', { skip }, async (t) => {
  const server = await tlsServer(t)
  const { curl, rows, refused, looked } = await house(t, [{ host: 'api.example.test', port: server.port }])
  const urls: [url: string, reason: string][] = [
    [`https://other.example.test:${server.port}/`, 'host'], [`https://api.example.test.evil.test:${server.port}/`, 'host'], [`https://api.example.test.:${server.port}/`, 'host'],
    ['https://api.example.test/', 'port'], [`https://api.example.test:${server.port + 1}/`, 'port'],
    [`https://127.0.0.1:${server.port}/`, 'literal'], [`https://[::1]:${server.port}/`, 'literal'], [`https://2130706433:${server.port}/`, 'literal'], [`https://0x7f000001:${server.port}/`, 'literal'], [`https://127.1:${server.port}/`, 'literal'],
    ['https://169.254.169.254/latest/meta-data/', 'literal'],
  ]
  for (const [url] of urls) assert.notEqual((await curl(url)).exitCode, 0, url)
  assert.deepEqual(refused.map(([, reason]) => reason), urls.map(([, reason]) => reason))
  assert.deepEqual([rows, looked, server.asked], [[], [], []])
})

test('plain http is refused, and the output says what would be right', { skip }, async (t) => {
  const server = await tlsServer(t)
  const { curl, refused, rows } = await house(t, [{ host: 'api.example.test', port: server.port }])
  const { stdout } = await curl(`http://api.example.test:${server.port}/secret-word`)
  assert.match(stdout, /^Only TLS leads out of here: ask https, of api\.example\.test:\d+\.$/m)
  assert.deepEqual([refused, rows], [[[`api.example.test:${server.port}`, 'plain']], []])
})

test('a TLS client that names another host than it asked for gets no byte through', { skip }, async (t) => {
  const server = await tlsServer(t)
  const { curl, rows, proxy } = await house(t, [{ host: 'api.example.test', port: server.port }])
  const result = await curl('--connect-to', `other.example.test:443:api.example.test:${server.port}`, 'https://other.example.test/')
  assert.notEqual(result.exitCode, 0)
  await proxy.close()
  assert.deepEqual([server.asked, rows.map(({ outcome, up }) => [outcome, up])], [[], [['sni', 0]]])
})

test('a redirect to another host leads nowhere', { skip }, async (t) => {
  const other = await tlsServer(t)
  const server = await tlsServer(t, { status: 302, headers: { location: `https://other.example.test:${other.port}/taken?word=private` } })
  const { curl, refused } = await house(t, [{ host: 'api.example.test', port: server.port }])
  assert.notEqual((await curl('--location', `https://api.example.test:${server.port}/`)).exitCode, 0)
  assert.deepEqual([server.asked.length, other.asked, refused], [1, [], [[`other.example.test:${other.port}`, 'host']]])
})

test('a name is held to its first address, whatever the name server says the second time', { skip }, async (t) => {
  const server = await tlsServer(t)
  const { curl, looked, rows } = await house(t, [{ host: 'api.example.test', port: server.port }], { answers: [['127.0.0.1'], ['127.0.0.2']] })
  for (let time = 0; time < 2; time++) assert.equal((await curl(`https://api.example.test:${server.port}/`)).exitCode, 0)
  assert.deepEqual([looked.length, rows.map(({ address }) => address)], [1, ['127.0.0.1', '127.0.0.1']])
})

test('a name that leads to this machine, a private network or where clouds keep keys is refused; the last of these however it is declared', { skip }, async (t) => {
  const server = await tlsServer(t)
  const declared = [{ host: 'api.example.test', port: server.port }]
  for (const [address, isPrivate] of [['127.0.0.1', false], ['10.0.0.7', false], ['::1', false], ['::ffff:127.0.0.1', false], ['fd00::1', false], ['169.254.169.254', true], ['fe80::1', true]] as const) {
    // one good address among them changes nothing
    const { curl, refused, rows } = await house(t, declared, { isPrivate, answers: [[address, '93.184.216.34']] })
    assert.notEqual((await curl(`https://api.example.test:${server.port}/`)).exitCode, 0)
    assert.deepEqual([refused.map(([, reason]) => reason), rows], [['address'], []], address)
  }
  assert.deepEqual(server.asked, [])
})

test('nothing else leads out of the sandbox: no name server, no address, no loopback of the host, IPv4 or IPv6', { skip }, async (t) => {
  const server = await tlsServer(t)
  const { curl, run, rows, refused } = await house(t, [{ host: 'api.example.test', port: server.port }])
  for (const url of [`https://127.0.0.1:${server.port}/`, `https://[::1]:${server.port}/`, `https://api.example.test:${server.port}/`, 'https://1.1.1.1/']) {
    assert.notEqual((await curl('--noproxy', '*', '--max-time', '3', url)).exitCode, 0, url)
  }
  assert.notEqual((await run(['/usr/bin/getent', 'hosts', 'example.org'])).exitCode, 0)
  assert.deepEqual([rows, refused, server.asked], [[], [], []])
})

test('bytes beyond the limit of a run end its connections', { skip }, async (t) => {
  const server = await tlsServer(t, { body: 'x'.repeat(200_000) })
  const { curl, rows, proxy } = await house(t, [{ host: 'api.example.test', port: server.port }], { limits: { bytes: 50_000 } })
  assert.notEqual((await curl(`https://api.example.test:${server.port}/`)).exitCode, 0)
  await proxy.close()
  assert.equal(rows[0]!.outcome, 'limit')
})

test('a command finds its credential in a file that only it can read, and in neither its environment nor its arguments', { skip }, async (t) => {
  const server = await tlsServer(t)
  const { run } = await house(t, [{ host: 'api.example.test', port: server.port }])
  const { stdout, stderr } = await run(['/bin/sh', '-c', `cat ${credentialFile}; echo; stat -c %a ${credentialFile}; cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline | tr '\\0' '\\n' | grep -c 'the[-]token'; cat`], 'the-token')
  assert.equal(stdout.trim().replaceAll(/\s+/g, ' '), 'the-token 600 0', stderr)
})
