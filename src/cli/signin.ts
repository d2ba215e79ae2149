import type { Command } from 'commander'
import type { SigninLink } from '../server/index.ts'
import { addCommand, type Cli } from './command/add-command.ts'
import { outcome } from './command/outcome.ts'

export function register(program: Command, cli: Cli): void {
  addCommand(program, cli, {
    usage: 'signin',
    summary: 'Print a link that signs your browser in: it works once, within ten minutes',
    async run({ server }) {
      const link = await (await server()).post<SigninLink>('/api/signin/link')
      return outcome(link, (data) => [data.url, ...(data.exposed_url ? [`${data.exposed_url}   on your other devices`] : [])].join('\n'))
    },
  })
}
