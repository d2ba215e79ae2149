import { createSocket } from 'node:dgram'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { connect, type NetConnectOpts } from 'node:net'

/** Something a process tries that is not its business. */
export interface Attempt {
  readonly what: string
  readonly how: 'read' | 'list' | 'write' | 'unix' | 'tcp' | 'udp' | 'signal'
  readonly target: string
}

/** `done` means that nothing stopped it. */
export interface AttemptResult {
  readonly what: string
  readonly outcome: string
}

// Run by itself, as the process whose rights are tried: attempts come on stdin, results go to stdout.
if (process.argv[1] === import.meta.filename) {
  const attempts = JSON.parse(readFileSync(0, 'utf8')) as Attempt[]
  const results: AttemptResult[] = []
  for (const attempt of attempts) results.push({ what: attempt.what, outcome: await tryIt(attempt) })
  process.stdout.write(JSON.stringify(results))
  process.exit(0)
}

async function tryIt({ how, target }: Attempt): Promise<string> {
  try {
    if (how === 'read') readFileSync(target)
    else if (how === 'list') readdirSync(target)
    else if (how === 'write') writeFileSync(target, 'x', { flag: 'a' })
    else if (how === 'signal') process.kill(Number(target), 0)
    else if (how === 'unix') await dial({ path: target })
    else if (how === 'tcp') await dial({ host: target.split(' ')[0]!, port: Number(target.split(' ')[1]) })
    else await datagram(target.split(' ')[0]!, Number(target.split(' ')[1]))
    return 'done'
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error)
  }
}

function dial(options: NetConnectOpts): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(options, () => {
      socket.destroy()
      resolve()
    })
    socket.on('error', reject)
  })
}

function datagram(host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4')
    socket.on('error', reject)
    socket.send('x', port, host, (error) => {
      socket.close()
      error ? reject(error) : resolve()
    })
  })
}
