import { randomBytes } from 'node:crypto'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { digestOf, tokenHeader } from '../kernel/exposure.ts'
import { Fault } from '../kernel/fault.ts'
import { caddyTokenFile, caddyTokenLine, meshEntry, printExposure } from '../expose/index.ts'
import { addCommand, type Cli } from './command/add-command.ts'
import { outcome } from './command/outcome.ts'

export function register(program: Command, cli: Cli): void {
  const expose = addCommand<{ mesh?: string[]; house?: string; print?: boolean }>(program, cli, {
    usage: 'expose',
    summary: 'What opens dashboard and signing page to your other devices: a proxy and firewall rules, printed and not changed',
    configure: (command) => void command
      .option('--print', 'print the files and commands; nothing else is done in any case')
      .option('--mesh <address...>', 'the devices that may come: addresses or networks on the mesh (default: everybody on it)')
      .option('--house <folder>', 'the folder that you own (default: $CASTELLAN_HOUSE, else house in the home)'),
    async run({ options, home }) {
      const { houseFolder, readHouse } = await import('../processes/up-house.ts')
      const folder = houseFolder(home, options.house === undefined ? undefined : resolve(options.house))
      const { house } = await readHouse(folder, home)
      if (house === undefined) throw new Fault('invalid', 'house.broken', `the house in ${folder} has errors; \`castellan config check\` names them`)
      return outcome(printExposure(meshEntry(house, options.mesh ?? [])), ({ files, commands, notes }) => [
        ...files.map(({ path, text, check }) => `# ${path}\n# check it with: ${check}\n${text}`),
        ...(commands.length === 0 ? [] : ['# run', ...commands, '']),
        ...notes.map((note) => `# ${note}`),
      ].join('\n'))
    },
  })

  addCommand(expose, cli, {
    usage: 'token <name>',
    summary: 'Make a service token for the proxy or for a device; it is shown once, and the house keeps its digest',
    async run({ args }) {
      const name = args[0]!
      if (!/^[a-z][a-z0-9_-]{0,62}$/.test(name)) throw new Fault('invalid', 'usage', 'a name has small letters, digits, _ and -, and begins with a letter')
      const token = randomBytes(32).toString('base64url')
      return outcome({ name, token, header: tokenHeader, digest: `sha256:${digestOf(token)}` }, (data) => [
        `Service token ${data.name}. It is shown this once:`, `  ${data.token}`,
        'Into castellan.yaml, then `castellan reload`; the line is no secret:', '  expose:', '    tokens:', `      ${data.name}: ${data.digest}`,
        `For the proxy, into ${caddyTokenFile} (0640 root:caddy):`, `  ${caddyTokenLine(data.token).trim()}`,
        `For a device, as the header ${data.header}. Take it back: remove the line, \`castellan reload\`.`,
      ].join('\n'))
    },
  })
}
