import type { Problem } from '../problem.ts'
import { didYouMean } from '../suggest.ts'
import type { YamlSource } from '../yaml-source.ts'
import type { CastellanFile } from './castellan-file.ts'
import { isLoopback } from './check-models.ts'
import { builtInLanes } from './to-lanes.ts'

/** Webhooks of lanes that are not there, secrets that serve twice, tokens that would travel in the clear, and a database that would not know the listener. */
export function checkWebhooks(file: CastellanFile, source: YamlSource): Problem[] {
  const lanes = [...new Set([...Object.keys(file.lanes), ...builtInLanes])]
  const taken = new Map<string, string>()
  const problems = Object.entries(file.webhooks).flatMap(([name, webhook]) => {
    const at = ['webhooks', name]
    const found = webhook.lanes.flatMap((lane, index) =>
      lanes.includes(lane) ? [] : [source.problem([...at, 'lanes', index], `the lane ${lane} is not declared`, didYouMean(lane, lanes))])
    webhook.secrets.forEach(({ secret }, index) => {
      const other = taken.get(secret)
      taken.set(secret, name)
      if (other !== undefined) found.push(source.problem([...at, 'secrets', index], `the secret ${secret} is already that of ${other}: what is signed for one could be delivered to the other`, 'give each webhook a secret of its own'))
    })
    if (webhook.kind === 'gumroad') {
      const api = new URL(webhook.api)
      if (api.protocol !== 'https:' && !isLoopback(api.hostname)) found.push(source.problem([...at, 'api'], `the token of ${name} would go to ${api.hostname} unencrypted`, 'write https://'))
      if (api.username !== '' || api.password !== '') found.push(source.problem([...at, 'api'], `the address of ${name} carries a password`, 'name it as token: { secret: NAME }'))
    }
    return found
  })
  if (Object.keys(file.webhooks).length > 0 && file.database !== 'embedded' && file.database.urls.listener === undefined) {
    problems.push(source.problem(['database', 'urls'], 'webhooks are declared, and their listener has no user in the database', 'write listener: { secret: database_listener }; `castellan database sql` prints what makes it', { at: 'key' }))
  }
  return problems
}
