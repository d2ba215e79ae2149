import type { Command } from 'commander'
import { addCommand, type Cli } from './command/add-command.ts'
import { wholeNumber } from './command/parse-option.ts'
import { render } from './secrets/render.ts'
import { rotate, type RotateOptions } from './secrets/rotate.ts'
import { scan, type ScanOptions } from './secrets/scan.ts'
import type { PatienceOption } from './secrets/open-desk.ts'
import { status } from './secrets/status.ts'

export function register(program: Command, cli: Cli): void {
  const secrets = program.command('secrets').description('Credentials: fetched from where you keep them, laid down for the process that needs them')
  const patience = (command: Command) => void command.option('--patience <time>', 'how long a program may take, e.g. 2m (default: 30s)')

  addCommand<PatienceOption>(secrets, cli, {
    usage: 'render [names...]',
    summary: 'Fetch what castellan.yaml declares under `secrets`, all or those named',
    changes: true,
    configure: patience,
    run: render,
  })

  addCommand<RotateOptions>(secrets, cli, {
    usage: 'rotate <name>',
    summary: 'Give a secret a new value: at its source, for the processes, in the audit',
    changes: true,
    configure: (command) => {
      patience(command)
      command.option('--undo', 'put the value before back; it is kept for a day').option('--value-fd <number>', 'read the new value from this file descriptor; 0 is standard input', wholeNumber)
    },
    run: rotate,
  })

  addCommand(secrets, cli, {
    usage: 'status',
    summary: 'Which secrets there are, from where, how old, who is given them; never a value',
    run: status,
  })

  addCommand<ScanOptions>(secrets, cli, {
    usage: 'scan [paths...]',
    summary: 'Look for secrets in logs, the house with its history, and drafts, or in what is named; says where, never what',
    changes: true,
    configure: (command) => void command.option('--no-history', 'leave out what git repositories held before').option('--accept <ids...>', 'these are no secrets: do not tell of them again'),
    run: scan,
  })
}
