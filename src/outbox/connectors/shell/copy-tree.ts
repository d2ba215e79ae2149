import { Fault } from '../../../kernel/fault.ts'
import { said } from './said.ts'
import { surveyTree } from './survey-tree.ts'
import type { Workplace } from './workplace.ts'

const copyMs = 20_000

/**
 * A copy of the folder in one that nobody else reaches. Made within the sandbox: a symbolic link that takes the place of a folder meanwhile leads
 * to nothing. Binding a file over its place in the folder would not hold it: who can write there renames what it is bound to, and puts another
 * there, which the command then reads. @throws Fault `shell.large`, `shell.trial`
 */
export async function copyTree(workplace: Workplace, from: string, folder: string, copy: string, signal?: AbortSignal): Promise<void> {
  await surveyTree(from, { read: false })
  const { exitCode, stderr, ended } = await workplace.tool(['/usr/bin/cp', '--archive', '--no-target-directory', '--', from, copy], {
    cwd: folder, folders: [...(from.startsWith(`${folder}/`) ? [] : [{ path: from, access: 'read' as const }]), { path: folder, access: 'write' }], timeoutMs: copyMs, signal,
  })
  if (ended !== 'exit' || exitCode !== 0) throw new Fault('refused', 'shell.trial', `the folder could not be copied before the command is run: ${ended === 'exit' ? said(stderr) : ended}`)
}
