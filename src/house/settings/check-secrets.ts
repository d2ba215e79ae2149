import { isAbsolute } from 'node:path'
import type { Problem } from '../problem.ts'
import type { YamlSource } from '../yaml-source.ts'
import type { CastellanFile } from './castellan-file.ts'

/** Programs that another folder on the PATH could put itself before, and ways to a new value that exclude each other. */
export function checkSecrets(file: CastellanFile, source: YamlSource): Problem[] {
  const standard = new Set(Object.values(file.webhooks).flatMap((webhook) => (webhook.kind === 'standard' ? webhook.secrets.map(({ secret }) => secret) : [])))
  return Object.entries(file.secrets).flatMap(([name, { from, rotate_command: command, rotate_by: by, form }]) => {
    const at = ['secrets', name]
    const found: Problem[] = []
    if (command && !isAbsolute(command[0]!)) found.push(source.problem([...at, 'rotate_command', 0], `${command[0]} is not an absolute path`, 'write the whole path of the program'))
    if (command && from === 'made') found.push(source.problem([...at, 'rotate_command'], `${name} is made by Castellan, so no program makes it`, 'take rotate_command out, or write from: file'))
    const makes = from === 'made' || (by === 'made' && !command)
    if (makes && standard.has(name) && form !== 'whsec') found.push(source.problem(at, `${name} verifies a webhook of kind: standard, whose secrets begin with whsec_`, 'write form: whsec', { at: 'key' }))
    return found
  })
}
