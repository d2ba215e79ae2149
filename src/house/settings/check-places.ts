import { existsSync, statSync } from 'node:fs'
import type { Problem } from '../problem.ts'
import type { Path, YamlSource } from '../yaml-source.ts'
import type { CastellanFile } from './castellan-file.ts'
import { isInside, realPath, resolvePath } from './resolve-path.ts'

/** Everything in castellan.yaml that names a place on the disk, with the absolute path it means. */
export interface Place {
  readonly kind: 'folder' | 'mailbox' | 'connector'
  readonly name: string
  readonly at: Path
  readonly path: string
  readonly written: boolean
}

/** Places that may not be used, do not exist, or get in each other's way. The places come back where they can be used. */
export function checkPlaces(house: string, file: CastellanFile, source: YamlSource, forbidden: readonly string[]): { places: Place[]; problems: Problem[] } {
  const problems: Problem[] = []
  const places: Place[] = []
  const wanted = [
    ...Object.entries(file.folders).map(([name, { path, access }]) => ({ kind: 'folder' as const, name, at: ['folders', name, 'path'], path, written: access === 'write' })),
    ...Object.entries(file.mail.accounts).flatMap(([name, account]) =>
      account.kind === 'folder' ? [{ kind: 'mailbox' as const, name, at: ['mail', 'accounts', name, 'path'], path: account.path, written: true }] : []),
    ...Object.entries(file.outbox.connectors).flatMap(([name, connector]) =>
      connector.kind === 'file' ? [{ kind: 'connector' as const, name, at: ['outbox', 'connectors', name, 'path'], path: connector.path, written: true }]
      : connector.kind === 'git' ? [{ kind: 'connector' as const, name, at: ['outbox', 'connectors', name, 'repository'], path: connector.repository, written: false }]
      : []),
  ]
  for (const { path: written, ...place } of wanted) {
    const resolved = resolvePath(house, written, forbidden)
    if ('what' in resolved) problems.push(source.problem(place.at, resolved.what, resolved.instead))
    else {
      places.push({ ...place, path: resolved.path, written: place.written })
      problems.push(...checkExists(place.at, written, resolved.path, source))
    }
  }
  return { places, problems: [...problems, ...checkOverlaps(places, source), ...checkRemotes(file, places, source)] }
}

function checkExists(at: Path, written: string, path: string, source: YamlSource): Problem[] {
  if (!existsSync(path)) return [source.problem(at, `there is no folder ${written} yet`, 'make it, or correct the path', { severity: 'warning' })]
  return statSync(path).isDirectory() ? [] : [source.problem(at, `${written} is a file`, 'name the folder that it is in')]
}

/** A connector's folder is the releaser's, a mailbox is the outside world's: what a tool can write there would be forged. */
function checkOverlaps(places: readonly Place[], source: YamlSource): Problem[] {
  return places.flatMap((place, index) => {
    const other = places.slice(0, index).find((before) => before.written && place.written && before.kind + place.kind !== 'folderfolder' && overlap(before.path, place.path))
    if (!other) return []
    return [source.problem(place.at, `the ${place.kind} ${place.name} and the ${other.kind} ${other.name} would both write to ${other.path}`, 'give each a folder of its own')]
  })
}

/** What takes a push on this machine runs as the releaser, in a repository that nobody else may change. */
function checkRemotes(file: CastellanFile, places: readonly Place[], source: YamlSource): Problem[] {
  return Object.entries(file.outbox.connectors).flatMap(([name, connector]) => {
    if (connector.kind !== 'git' || !connector.remote.startsWith('/')) return []
    const { remote } = connector
    const open = places.find(({ kind, written, path }) => kind !== 'connector' && written && overlap(path, remote))
    return open ? [source.problem(['outbox', 'connectors', name, 'remote'], `${name} would push to ${remote}, in the ${open.kind} ${open.name}, which tools write to`, 'name a remote elsewhere')] : []
  })
}

function overlap(a: string, b: string): boolean {
  const [one, two] = [realPath(a), realPath(b)]
  return isInside(one, two) || isInside(two, one)
}
