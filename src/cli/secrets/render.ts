import { forgetPrevious, renderSecrets, type Rendered } from '../../secrets/index.ts'
import type { Invocation } from '../command/add-command.ts'
import { exitCodes } from '../command/exit-codes.ts'
import { outcome, type Outcome } from '../command/outcome.ts'
import { table } from '../terminal/table.ts'
import { paintState, type Terminal } from '../terminal/terminal.ts'
import { counted } from '../terminal/wording.ts'
import { chooseSources, readDeclared } from './declared-secrets.ts'
import { askPassphrases, openDesk, type PatienceOption } from './open-desk.ts'
import { recordActs, tellHouse, toldText, type Told } from './tell-house.ts'

/** Fetches what is declared and lays it down; says of each what became of it. */
export async function render(invocation: Invocation<PatienceOption>): Promise<Outcome> {
  const { options } = invocation
  const names = (invocation.args[0] ?? []) as readonly string[]
  const desk = openDesk(invocation)
  const sources = chooseSources(await readDeclared(invocation.home), names)
  const passphrases = await askPassphrases(sources, invocation)
  const rendered = await desk.folder.exclusively(async () => {
    forgetPrevious(desk)
    const done = await renderSecrets({ ...desk, passphrases, dryRun: options.dryRun === true }, sources)
    if (done.some(({ state }) => state === 'rendered')) await recordActs(invocation, desk.records)
    return done
  })
  const changed = rendered.filter(({ state }) => state === 'rendered').map(({ name }) => name)
  const house = await tellHouse(invocation, changed)
  const failed = rendered.filter(({ state }) => state === 'failed')
  const failure = failed.length === 0 ? undefined : {
    exit: failed.length === rendered.length ? exitCodes.failure : exitCodes.partial,
    code: 'secrets.unrendered', message: `${counted(failed.length, 'secret')} could not be fetched; what was there before is still there`,
  }
  return outcome({ secrets: rendered, house }, renderedText, failure)
}

function renderedText({ secrets: rendered, house }: { secrets: Rendered[]; house: Told }, terminal: Terminal): string {
  if (rendered.length === 0) return 'castellan.yaml says of no secret where it comes from; write it under `secrets`.'
  const rows = rendered.map(({ state, name, from, problem }) => [paintState(terminal, state), name, from, problem?.message ?? ''])
  return [table(terminal, ['STATE', 'NAME', 'FROM', 'WHY'], rows), ...toldText(house)].join('\n')
}
