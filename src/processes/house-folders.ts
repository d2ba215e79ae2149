import { join, relative } from 'node:path'
import type { House } from '../house/index.ts'
import type { Account, AccountOwner } from './accounts.ts'
import { grantFolder } from './folders.ts'

/**
 * Lets each process into the folders of the house that it has business in, when processes have their own uids:
 * private workers into the declared folders, the releaser into mailboxes and outboxes, nobody into configuration.
 * Folders outside the house keep the rights that the operator gave them.
 */
export function grantHouseFolders(house: House, accounts: ReadonlyMap<AccountOwner, Account>): void {
  const { folders, mail, outbox } = house.settings
  const inside = <T extends { path: string }>(places: readonly T[]) =>
    places.filter(({ path }) => !relative(house.folder, path).startsWith('..'))
  const worker = accounts.get('worker-private')!
  const releaser = accounts.get('releaser')!
  grantFolder(house.folder, { mode: 0o711 })
  for (const closed of ['jobs', 'agents', 'prompts', '.git']) grantFolder(join(house.folder, closed), { mode: 0o700 })
  const changed = new Set(outbox.connectors.flatMap((connector) => (connector.kind === 'files' || connector.kind === 'shell' ? connector.folders.map(({ path }) => path) : [])))
  for (const { path, access } of inside(folders)) {
    // what the releaser may move it has to be able to; the group of what is made in it later stays the releaser's
    if (changed.has(path)) grantFolder(path, { owner: worker, group: releaser, mode: 0o2770 })
    else grantFolder(path, access === 'write' ? { owner: worker, mode: 0o750 } : { group: worker, mode: 0o750 })
  }
  for (const { path } of inside(mail.accounts.filter((account) => account.kind === 'folder'))) grantFolder(path, { group: releaser, mode: 0o750 })
  for (const { path } of inside(outbox.connectors.filter((connector) => connector.kind === 'file'))) grantFolder(path, { owner: releaser, mode: 0o750 })
}
