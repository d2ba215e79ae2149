import { existsSync } from 'node:fs'
import { basename, isAbsolute, resolve } from 'node:path'
import { neverAllowed } from '../../sandbox/index.ts'
import type { Problem } from '../problem.ts'
import type { Path, YamlSource } from '../yaml-source.ts'
import type { CastellanFile } from './castellan-file.ts'
import { isInside, realPath } from './resolve-path.ts'

/** The programs that castellan.yaml allows, as absolute paths. */
export interface Programs {
  /** Those of shell.allow. */
  readonly shell: readonly string[]
  /** Those of connectors of kind shell, by their names. */
  readonly connectors: ReadonlyMap<string, readonly string[]>
}

/** Programs of shell.allow and of connectors that could start anything, or lie where none should be. */
export function checkPrograms(house: string, file: CastellanFile, source: YamlSource, forbidden: readonly string[]): { programs: Programs; problems: Problem[] } {
  const problems: Problem[] = []
  const check = (allow: readonly string[], at: Path) => allow.map((written, index) => checkProgram(written, [...at, index]))

  function checkProgram(written: string, at: Path): string {
    const complain = (what: string, instead: string, severity: Problem['severity'] = 'error') => problems.push(source.problem(at, what, instead, { severity }))
    const path = resolve(house, written)
    const never = neverAllowed(basename(path))
    if (never !== undefined) complain(`${written} ${never}`, 'name the program that you mean, or a script of the house')
    else if (!isAbsolute(written) && !isInside(path, resolve(house, 'scripts'))) complain(`${written} is neither an absolute path nor in scripts/`, 'write e.g. /usr/bin/du or scripts/disk.sh')
    else if (isAbsolute(written) && forbidden.some((place) => isInside(realPath(path), realPath(place)) && !isInside(path, house))) complain(`${written} lies where no tool may reach`, 'name a program of the system, e.g. /usr/bin/du')
    else if (!existsSync(path)) complain(`there is no program ${written} on this machine`, 'install it, or remove the line', 'warning')
    else if (isInside(path, house) && !isInside(realPath(path), realPath(house))) complain(`${written} is a symbolic link that leads out of the house`, 'copy the script into scripts/')
    return path
  }

  const connectors = Object.entries(file.outbox.connectors).flatMap(([name, connector]): [string, string[]][] =>
    connector.kind === 'shell' ? [[name, check(connector.allow, ['outbox', 'connectors', name, 'allow'])]] : [])
  return { programs: { shell: check(file.shell.allow, ['shell', 'allow']), connectors: new Map(connectors) }, problems }
}
