import { isAbsolute } from 'node:path'
import { isInside, realPath } from './resolve-path.ts'
import type { Place } from './check-places.ts'
import { secretPath } from './to-secrets.ts'
import type { Problem } from '../problem.ts'
import type { YamlSource } from '../yaml-source.ts'
import type { CastellanFile } from './castellan-file.ts'

/** What lies where tools read, programs that another folder on the PATH could put itself before, and ways to a new value that exclude each other. */
export function checkSecrets(house: string, file: CastellanFile, places: readonly Place[], source: YamlSource): Problem[] {
  const standard = new Set(Object.values(file.webhooks).flatMap((webhook) => (webhook.kind === 'standard' ? webhook.secrets.map(({ secret }) => secret) : [])))
  return Object.entries(file.secrets).flatMap(([name, declared]) => [...inTheClear(house, name, declared, places, source), ...ofRotation(name, declared)])

  function ofRotation(name: string, { from, rotate_command: command, rotate_by: by, form }: CastellanFile['secrets'][string]): Problem[] {
    const at = ['secrets', name]
    const found: Problem[] = []
    if (command && !isAbsolute(command[0]!)) found.push(source.problem([...at, 'rotate_command', 0], `${command[0]} is not an absolute path`, 'write the whole path of the program'))
    if (command && from === 'made') found.push(source.problem([...at, 'rotate_command'], `${name} is made by Castellan, so no program makes it`, 'take rotate_command out, or write from: file'))
    const makes = from === 'made' || (by === 'made' && !command)
    if (makes && standard.has(name) && form !== 'whsec') found.push(source.problem(at, `${name} verifies a webhook of kind: standard, whose secrets begin with whsec_`, 'write form: whsec', { at: 'key' }))
    return found
  }
}

/** Keys and values in the clear; what is encrypted may lie there. */
function inTheClear(house: string, name: string, declared: CastellanFile['secrets'][string], places: readonly Place[], source: YamlSource): Problem[] {
  const keys = { ...(declared.from === 'file' && { file: declared.file }), ...('identity' in declared && { identity: declared.identity }), ...('age_key_file' in declared && { age_key_file: declared.age_key_file }), ...('password_file' in declared && { password_file: declared.password_file }) }
  return Object.entries(keys).flatMap(([key, written]) => {
    if (written === undefined) return []
    const path = realPath(secretPath(house, written))
    const open = places.find((place) => isInside(path, realPath(place.path)))
    return open ? [source.problem(['secrets', name, key], `${written} lies in the ${open.kind} ${open.name}, where tools and jobs read`, 'keep it outside of the folders of the house, e.g. in ~/.config')] : []
  })
}
