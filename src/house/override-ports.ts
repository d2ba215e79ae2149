import type { Problem } from './problem.ts'
import { portNames, portVariable, type PortName } from './settings/ports.ts'
import type { CastellanFile } from './settings/castellan-file.ts'

type Ports = CastellanFile['ports']

/** What stands above the file: a flag of the command line, then the environment. */
export interface Overrides {
  readonly ports?: Partial<Record<PortName, number>>
  readonly env?: Readonly<Record<string, string | undefined>>
}

/** The ports that count, and where each comes from when it is not the file. */
export function overridePorts(ports: Ports, overrides: Overrides): { ports: Ports; sources: Partial<Record<PortName, string>>; problems: Problem[] } {
  const result = { ports: { ...ports }, sources: {} as Partial<Record<PortName, string>>, problems: [] as Problem[] }
  for (const name of portNames) {
    const variable = portVariable(name)
    const flag = overrides.ports?.[name]
    const text = overrides.env?.[variable]
    if (flag !== undefined) {
      result.ports[name] = flag
      result.sources[name] = 'command line'
    } else if (text !== undefined && text !== '') {
      if (/^\d{1,5}$/.test(text) && Number(text) <= 65535) {
        result.ports[name] = Number(text)
        result.sources[name] = `environment: ${variable}`
      } else {
        result.problems.push({ file: 'environment', line: 0, column: 0, severity: 'error', what: `${variable} is ${JSON.stringify(text)}, which is not a port`, instead: 'set it to a number from 0 to 65535, or unset it' })
      }
    }
  }
  return result
}
