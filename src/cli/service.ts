import { resolve } from 'node:path'
import type { Command } from 'commander'
import { Fault } from '../kernel/fault.ts'
import { addCommand, type Cli, type Invocation } from './command/add-command.ts'
import { exitCodes } from './command/exit-codes.ts'
import { outcome } from './command/outcome.ts'
import { table } from './terminal/table.ts'
import type { Terminal } from './terminal/terminal.ts'

interface ServiceOptions {
  house?: string
  for?: string
  print?: boolean
}

const nothing = 'No house is installed on this machine.'

const load = () => import('../processes/service.ts')

export function register(program: Command, cli: Cli): void {
  const service = program.command('service').description('Let the system keep the house: hardened units for systemd, daemons for launchd')
  const common = (command: Command) => command
    .option('--house <folder>', 'the folder that you own (default: $CASTELLAN_HOUSE, else house in the home)')
    .option('--for <system>', 'systemd or launchd (default: what this machine has)')

  addCommand<ServiceOptions>(service, cli, {
    usage: 'install',
    summary: 'Write the files that start the house with the machine, each process as a user of its own; as root',
    changes: true,
    configure: (command) => void common(command).option('--print', 'print every file with its path, and change nothing'),
    async run({ options, home }) {
      const { installService, readInstallation } = await load()
      const asked = await read({ options, home })
      if (options.print || options.dryRun) {
        const { files, next } = await readInstallation(asked)
        return outcome({ files: [...files], next: [...next] }, (data) => [...data.files.map(({ path, text }) => `# ${path}\n${text}`), steps('then:', data.next)].join('\n'))
      }
      return outcome(await installService(asked), (data, terminal) => [fileTable(data.files, terminal), '', steps('The files are there. To bring them into effect:', data.next)].join('\n'))
    },
  })

  addCommand<ServiceOptions>(service, cli, {
    usage: 'status',
    summary: 'Which files are there as they should be, and what the system says of the units',
    configure: (command) => void common(command),
    async run({ options, home }) {
      const { serviceStatus } = await load()
      const data = await serviceStatus(await read({ options, home }))
      const wrong = data.files.filter(({ state }) => state !== 'installed').length
      const failure = wrong === 0 ? undefined : { exit: exitCodes.failure, code: 'service.differs', message: `${wrong} of ${data.files.length} files are not as this house needs them; \`castellan service install\` writes them` }
      return outcome(data, ({ files, units }, terminal) => [
        fileTable(files, terminal),
        ...(units.length === 0 ? [] : ['', table(terminal, ['UNIT', 'STATE', 'RESTARTS'], units.map(({ unit, active, restarts }) => [unit, active ?? 'no systemd runs here', restarts === null ? '' : String(restarts)]))]),
      ].join('\n'), failure)
    },
  })

  addCommand<ServiceOptions>(service, cli, {
    usage: 'uninstall',
    summary: 'Take the files away again; home, house and secrets stay; as root',
    changes: true,
    configure: (command) => void common(command),
    async run({ options, home, ask }) {
      const { readRemoval, uninstallService } = await load()
      const asked = await read({ options, home })
      if (options.dryRun) {
        const { files, before } = readRemoval(asked)
        return outcome({ state: 'dry_run', would: files, before: [...before] }, (data) => (data.would.length === 0 ? nothing : `would remove:\n${data.would.map((path) => `  ${path}`).join('\n')}\n${steps('before that:', data.before)}`))
      }
      if (!(await ask.confirm('Take away what starts this house with the machine? Home, house and secrets stay.'))) return outcome({ files: [] }, () => 'Nothing was changed.')
      return outcome(uninstallService(asked), (data, terminal) => data.files.length === 0 ? nothing : [fileTable(data.files, terminal), '', steps('The files are gone. So that the system knows:', data.after)].join('\n'))
    },
  })
}

async function read({ options, home }: Pick<Invocation<ServiceOptions>, 'options' | 'home'>) {
  const { serviceManagers } = await load()
  const asked = options.for ?? (process.platform === 'darwin' ? 'launchd' : 'systemd')
  const manager = serviceManagers.find((one) => one === asked)
  if (manager === undefined) throw new Fault('invalid', 'usage', `--for is one of ${serviceManagers.join(', ')}`)
  return { home, manager, ...(options.house !== undefined && { house: resolve(options.house) }) }
}

function steps(title: string, commands: readonly string[]): string {
  return [title, ...commands.map((command) => `  ${command}`)].join('\n')
}

function fileTable(files: readonly { path: string; state: string }[], terminal: Terminal): string {
  return table(terminal, ['FILE', 'STATE'], files.map(({ path, state }) => [path, state]))
}
