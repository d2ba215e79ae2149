import { existsSync, realpathSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path'

export type ResolvedPath = { readonly path: string } | { readonly what: string; readonly instead: string }

/** What no tool may reach, whatever the operator writes: the system, keys of the user, and the state of Castellan itself. */
export function forbiddenPlaces(castellanHome: string): string[] {
  const ofUser = [
    '.ssh', '.gnupg', '.aws', '.azure', '.kube', '.docker', '.netrc', '.password-store', '.config/gcloud', '.config/gh', '.config/op',
    '.config/google-chrome', '.config/chromium', '.mozilla', '.local/share/keyrings', 'Library/Keychains',
    'Library/Application Support/Google/Chrome', 'Library/Application Support/Firefox',
  ]
  return ['/etc', '/proc', '/sys', '/dev', '/boot', '/run', '/var/run', castellanHome, ...ofUser.map((name) => join(homedir(), name))]
}

/** Folders of the house that hold configuration: nobody but the operator writes there. */
const configuration = ['jobs', 'agents', 'prompts', 'scripts', '.git', 'castellan.yaml', 'labels.yaml']

/** An absolute path for what the operator wrote, or why it may not be used. */
export function resolvePath(house: string, written: string, forbidden: readonly string[]): ResolvedPath {
  const text = written === '~' || written.startsWith('~/') ? join(homedir(), written.slice(1)) : written
  const path = resolve(house, text)
  const inHouse = isInside(path, house)
  if (!isAbsolute(text) && !inHouse) {
    return { what: `${written} leads out of the house`, instead: 'write an absolute path if you mean a folder elsewhere' }
  }
  const real = realPath(path)
  if (inHouse) {
    if (!isInside(real, realPath(house))) {
      return { what: `${written} is a symbolic link that leads out of the house, to ${real}`, instead: `write ${real} if you mean that` }
    }
    const first = relative(realPath(house), real).split(sep)[0]!
    if (first === '') return { what: `${written} is the house itself, with its configuration`, instead: 'name a folder in it, e.g. vault' }
    if (configuration.includes(first)) {
      return { what: `${first} holds configuration, which only you change`, instead: 'name another folder, e.g. vault' }
    }
    return { path }
  }
  for (const place of forbidden) {
    if ([path, real].some((one) => isInside(one, place) || isInside(one, realPath(place)))) {
      return { what: `${written} lies in ${place}, which no tool may reach`, instead: 'name a folder that holds nothing but documents' }
    }
    if ([path, real].some((one) => isInside(place, one))) {
      return { what: `${written} contains ${place}, which no tool may reach`, instead: 'name a folder that holds nothing but documents' }
    }
  }
  return { path }
}

/** Is `path` this folder, or something in it? */
export function isInside(path: string, folder: string): boolean {
  const way = relative(folder, path)
  return way === '' || (!way.startsWith(`..${sep}`) && way !== '..' && !isAbsolute(way))
}

/** Without symbolic links, as far as it exists. */
export function realPath(path: string): string {
  if (existsSync(path)) return realpathSync(path)
  const above = dirname(path)
  return above === path ? path : join(realPath(above), relative(above, path))
}
