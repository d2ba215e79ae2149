/**
 * Runs inside the sandbox, where nothing leads out but one Unix socket: hands a port of the sandbox's own loopback on to it, so that any
 * program finds a proxy as it expects one, and runs the command. Imports nothing of Castellan: only this file is bound.
 * Arguments: the socket, where the credential on stdin goes or '', the command.
 */
import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { constants } from 'node:os'

const [path, credential, program, ...args] = process.argv.slice(2) as [string, string, string, ...string[]]
const port = 3128 // a network namespace of its own: nobody else can have it

if (credential !== '') writeFileSync(credential, readFileSync(0), { mode: 0o600, flag: 'wx' })

const join = (from: Socket, to: Socket) => {
  from.pipe(to)
  from.on('error', () => to.destroy())
  from.on('close', () => from.readableEnded || to.destroy())
}
const server = createServer({ allowHalfOpen: true }, (near) => {
  const far = connect({ path, allowHalfOpen: true })
  join(near, far)
  join(far, near)
})
server.listen(port, '127.0.0.1', () => {
  const proxy = `http://127.0.0.1:${port}`
  const child = spawn(program, args, {
    stdio: [credential === '' ? 'inherit' : 'ignore', 'inherit', 'inherit'],
    // plain http is led to the proxy too, which says why not
    env: { ...process.env, HTTPS_PROXY: proxy, https_proxy: proxy, HTTP_PROXY: proxy, http_proxy: proxy, NO_PROXY: '', no_proxy: '', NODE_USE_ENV_PROXY: '1' },
  })
  child.on('error', (error) => {
    process.stderr.write(`${error.message}\n`)
    process.exit(127)
  })
  child.on('exit', (code, signal) => process.exit(code ?? 128 + (signal ? constants.signals[signal] : 0)))
})
