import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { Fault } from '../../kernel/fault.ts'
import { scanText, type Sighting, type Wanted } from './scan-text.ts'

export interface HistorySighting {
  /** In the repository; of a commit or a tag its message. */
  readonly file: string
  readonly object: string
  readonly sighting: Sighting
}

interface GitObject {
  readonly id: string
  readonly path: string
}

/** Larger objects are data. */
const largest = 64 * 1024 * 1024

/** Every version of every file that git still has, and every message, each once: of what branches, tags, stashes, the log of references and the index reach. */
export async function scanHistory(repository: string, wanted: Wanted): Promise<{ found: HistorySighting[]; objects: number; bytes: number }> {
  const objects = await listObjects(repository)
  const found: HistorySighting[] = []
  const bytes = await readObjects(repository, objects, wanted, (object, sightings) => {
    found.push(...sightings.map((sighting) => ({ file: object.path, object: object.id, sighting })))
  })
  return { found, objects: objects.length, bytes }
}

/** The commit that brought an object in; each takes a walk through the history. */
export async function commitOf(repository: string, object: string): Promise<string | null> {
  const child = git(repository, ['log', '--all', '--reflog', '--topo-order', '--reverse', '--no-textconv', '--no-ext-diff', '--format=%h', `--find-object=${object}`])
  child.stdin.end()
  const said = await text(child.stdout)
  return said.split('\n')[0] || null
}

async function listObjects(repository: string): Promise<GitObject[]> {
  const list = git(repository, ['rev-list', '--objects', '--all', '--reflog', '--indexed-objects'])
  list.stdin.end()
  const check = git(repository, ['cat-file', '--buffer', '--batch-check=%(objectname) %(objecttype) %(objectsize) %(rest)'])
  list.stdout.pipe(check.stdin)
  const objects: GitObject[] = []
  const ended = Promise.all([endOf(list), endOf(check)])
  for await (const line of createInterface({ input: check.stdout })) {
    // a path with a line break in it makes lines that name no object
    const [, id, type, size, path] = /^([0-9a-f]{40,64}) (blob|commit|tag) (\d+) ?(.*)$/.exec(line) ?? []
    if (id !== undefined && Number(size) <= largest) objects.push({ id, path: type === 'blob' ? path || 'without a name' : `message of ${type} ${id.slice(0, 10)}` })
  }
  const [problem] = (await ended).filter((how) => how !== undefined)
  if (problem !== undefined) throw new Fault('unavailable', 'secrets.git', `the history of ${repository} could not be read: ${problem}; look at it with \`git -C ${repository} fsck\``)
  return objects
}

/** Contents come one after the other: a line with id, type and size, the bytes, a line break. */
async function readObjects(repository: string, objects: readonly GitObject[], wanted: Wanted, see: (object: GitObject, sightings: readonly Sighting[]) => void): Promise<number> {
  const child = git(repository, ['cat-file', '--batch', '--buffer'])
  child.stdin.on('error', () => {})
  child.stdin.end(objects.map(({ id }) => `${id}\n`).join(''))
  const ended = endOf(child)
  let [index, left, bytes, header] = [0, -1, 0, '']
  let scan = scanText(wanted)
  let isText = true
  for await (const piece of child.stdout as AsyncIterable<Buffer>) {
    bytes += piece.length
    for (let at = 0; at < piece.length;) {
      if (left === -1) {
        const end = piece.indexOf(10, at)
        header += piece.toString('latin1', at, end === -1 ? piece.length : end)
        at = end === -1 ? piece.length : end + 1
        if (end === -1) continue
        const size = / (\d+)$/.exec(header)
        header = ''
        if (size === null) index++ // it went missing in between
        else [left, scan, isText] = [Number(size[1]), scanText(wanted), true]
      } else if (left > 0) {
        const part = piece.subarray(at, at + left)
        at += part.length
        left -= part.length
        const sightings: Sighting[] | undefined = isText ? scan.feed(part) : undefined
        isText = sightings !== undefined
        if (sightings) see(objects[index]!, sightings)
      } else {
        if (isText) see(objects[index]!, scan.end())
        ;[left, index, at] = [-1, index + 1, at + 1]
      }
    }
  }
  const problem = await ended
  if (problem !== undefined || index < objects.length) throw new Fault('unavailable', 'secrets.git', `the history of ${repository} could not be read to its end; look at it with \`git -C ${repository} fsck\``)
  return bytes
}

/** With nobody's configuration but that of the repository, of which nothing is run here: no hooks, no filters, no pager, no network. */
function git(repository: string, args: readonly string[]): ChildProcessByStdio<Writable, Readable, null> {
  return spawn('git', ['-c', 'safe.directory=*', '-c', 'core.fsmonitor=false', '-C', repository, ...args], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: {
      PATH: '/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin', HOME: '/nonexistent', LANG: 'C', LC_ALL: 'C', GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null', GIT_ATTR_NOSYSTEM: '1', GIT_TERMINAL_PROMPT: '0',
      GIT_NO_REPLACE_OBJECTS: '1', GIT_NO_LAZY_FETCH: '1', GIT_OPTIONAL_LOCKS: '0', GIT_PAGER: 'cat', GIT_ALLOW_PROTOCOL: '',
    },
  })
}

/** Undefined when it ended well. */
function endOf(child: ReturnType<typeof git>): Promise<string | undefined> {
  return new Promise((resolve) => {
    child.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ENOENT' ? 'git is not installed' : `git could not be started (${error.code})`))
    child.once('close', (code, signal) => resolve(code === 0 ? undefined : `git ended with ${code ?? signal}`))
  })
}
