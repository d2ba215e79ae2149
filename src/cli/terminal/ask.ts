import { readFileSync } from 'node:fs'
import { Fault } from '../../kernel/fault.ts'
import type { Io } from './terminal.ts'

export interface AskOptions {
  readonly yes?: boolean
  readonly input?: boolean
  readonly json?: boolean
}

/** The questions a command may ask, on stderr, so that stdout holds data alone. */
export interface Asker {
  /** True at once with --yes. @throws Fault `ask.nobody` when nobody can be asked */
  confirm(question: string): Promise<boolean>
  /** Never shown while it is typed. From a descriptor when one was given. @throws Fault `ask.nobody`, `ask.stopped` */
  secret(question: string, descriptor?: number, flag?: string): Promise<string>
}

export function createAsker(io: Io, options: AskOptions): Asker {
  const mayAsk = options.input !== false && options.json !== true && io.stdin.isTTY === true
  const streams = { input: io.stdin as never, output: io.stderr as never }
  return {
    async confirm(question) {
      if (options.yes === true) return true
      if (!mayAsk) throw new Fault('invalid', 'ask.nobody', `"${question}" needs an answer and nobody can be asked here: say --yes, or run it in a terminal`)
      const { confirm, isCancel } = await import('@clack/prompts')
      const answer = await confirm({ message: question, initialValue: false, ...streams })
      return !isCancel(answer) && answer
    },
    async secret(question, descriptor, flag = '--passphrase-fd') {
      if (descriptor !== undefined) return readSecret(descriptor, flag)
      if (!mayAsk) throw new Fault('invalid', 'ask.nobody', `"${question}" needs an answer and nobody can be asked here: pass it with ${flag} N, or run it in a terminal`)
      const { password, isCancel } = await import('@clack/prompts')
      const answer = await password({ message: question, ...streams })
      if (isCancel(answer)) throw new Fault('invalid', 'ask.stopped', 'nothing was done: the question was not answered')
      return answer
    },
  }
}

function readSecret(descriptor: number, flag: string): string {
  try {
    return readFileSync(descriptor, 'utf8').replace(/\r?\n$/, '')
  } catch (error) {
    throw new Fault('invalid', 'ask.descriptor', `descriptor ${descriptor} could not be read: ${(error as Error).message}; e.g. \`${flag} 3 3<file\``)
  }
}
