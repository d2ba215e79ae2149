import { renderSecrets, type Rendered } from '../../secrets/index.ts'
import type { Invocation } from '../command/add-command.ts'
import { exitCodes } from '../command/exit-codes.ts'
import { outcome, type Outcome } from '../command/outcome.ts'
import { table } from '../terminal/table.ts'
import { paintState, type Terminal } from '../terminal/terminal.ts'
import { counted } from '../terminal/wording.ts'
import { chooseSources, readDeclared } from './declared-secrets.ts'
import { askPassphrases, openDesk, type PatienceOption } from './open-desk.ts'

/** Fetches what is declared and lays it down; says of each what became of it. */
export async function render(invocation: Invocation<PatienceOption>): Promise<Outcome> {
  const { options } = invocation
  const names = (invocation.args[0] ?? []) as readonly string[]
  const desk = openDesk(invocation)
  const sources = chooseSources(await readDeclared(invocation.home), names)
  const passphrases = await askPassphrases(sources, invocation)
  const rendered = await desk.folder.exclusively(() => renderSecrets({ ...desk, passphrases, dryRun: options.dryRun === true }, sources))
  const failed = rendered.filter(({ state }) => state === 'failed')
  const failure = failed.length === 0 ? undefined : {
    exit: failed.length === rendered.length ? exitCodes.failure : exitCodes.partial,
    code: 'secrets.unrendered', message: `${counted(failed.length, 'secret')} could not be fetched; what was there before is still there`,
  }
  return outcome(rendered, renderedText, failure)
}

function renderedText(rendered: Rendered[], terminal: Terminal): string {
  if (rendered.length === 0) return 'castellan.yaml says of no secret where it comes from; write it under `secrets`.'
  return table(terminal, ['STATE', 'NAME', 'FROM', 'WHY'], rendered.map(({ state, name, from, problem }) => [paintState(terminal, state), name, from, problem?.message ?? '']))
}
