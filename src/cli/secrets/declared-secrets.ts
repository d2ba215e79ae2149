import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Fault } from '../../kernel/fault.ts'
import { describeProblem, type House, type SecretSource } from '../../house/index.ts'
import { folderOf } from '../config.ts'

export interface DeclaredSecrets {
  readonly house: House
  readonly sources: readonly SecretSource[]
  /** The names that each process is given. */
  readonly users: ReadonlyMap<string, readonly string[]>
  storedAt(name: string): string | undefined
  readonly lasting: readonly string[]
}

/** What the house says of secrets, read anew: it need not run. @throws Fault `house.broken`, `secrets.undeclared` */
export async function readDeclared(home: string): Promise<DeclaredSecrets> {
  const [{ readHouse }, { sealingKeySecret, secretNames }, { processNames }, { storedAt }] = await Promise.all([
    import('../../processes/up-house.ts'), import('../../processes/read-secrets.ts'), import('../../processes/boot.ts'), import('../../processes/describe-house.ts'),
  ])
  const folder = await folderOf({ home, asked: undefined })
  const { house, problems } = await readHouse(folder, home)
  if (house === undefined) {
    const errors = problems.filter(({ severity }) => severity === 'error').map(describeProblem)
    throw new Fault('invalid', 'house.broken', `the house at ${folder} has errors, so nothing was done:\n${errors.join('\n')}`, { problems })
  }
  // the releaser is given the sealing key as a secret where it is one; elsewhere it makes it in its own folder
  const lasting = existsSync(join(home, 'secrets', sealingKeySecret)) || storedAt(sealingKeySecret) !== undefined ? [sealingKeySecret] : []
  const namesOf = (name: 'up' | (typeof processNames)[number]) => [...secretNames(name, house), ...(name === 'releaser' ? lasting : [])]
  return { house, storedAt, lasting, sources: house.settings.secrets, users: new Map((['up', ...processNames] as const).map((name) => [name, namesOf(name)])) }
}

/** All that are declared, or those that are named. @throws Fault `secrets.undeclared` */
export function chooseSources({ sources }: DeclaredSecrets, names: readonly string[]): SecretSource[] {
  const unknown = names.filter((name) => !sources.some((source) => source.name === name))
  if (unknown.length > 0) {
    throw new Fault('missing', 'secrets.undeclared', `castellan.yaml does not say where ${unknown.join(', ')} come${unknown.length === 1 ? 's' : ''} from; write it under \`secrets\`, e.g. ${unknown[0]}: { from: op, reference: "op://VAULT/ITEM/FIELD" }`)
  }
  return names.length === 0 ? [...sources] : sources.filter(({ name }) => names.includes(name))
}
