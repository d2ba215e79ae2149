import type { WebhookSettings } from '../house/index.ts'

/** Characters of a secret at least; a shorter one can be tried out. */
const shortest = 16

/** A secret as bytes of the key, or what is wrong with it, in words for the operator. */
export function secretBytes(kind: WebhookSettings['kind'], written: string): { readonly bytes: Buffer } | { readonly problem: string } {
  if (kind === 'standard') return standardBytes(written)
  if (written.length < shortest) return { problem: `it is shorter than ${shortest} characters` }
  if (kind === 'gumroad' && !/^[A-Za-z0-9_-]{16,100}$/.test(written)) return { problem: 'it is a part of a path, so it has 16 to 100 letters, digits, _ and -' }
  return { bytes: Buffer.from(written) }
}

/** `whsec_` and base64, as Standard Webhooks has it. */
function standardBytes(written: string): { readonly bytes: Buffer } | { readonly problem: string } {
  const text = written.replace(/^whsec_/, '')
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return { problem: 'it is not base64; write it as the sender shows it (whsec_…)' }
  const bytes = Buffer.from(text, 'base64')
  return bytes.length < shortest ? { problem: `it has fewer than ${shortest} bytes` } : { bytes }
}

/** Why nothing can be delivered to a webhook, or less than was meant: in words for the operator, without a word of a secret. */
export function secretProblems(webhook: WebhookSettings, secrets: Readonly<Record<string, string>>): string[] {
  const names = [...webhook.secrets, ...(webhook.kind === 'gumroad' ? [webhook.token] : [])].map(({ secret }) => secret)
  const missing = names.filter((name) => secrets[name] === undefined)
    .map((name) => `the secret ${name} is missing; put it into $CASTELLAN_HOME/secrets/${name} (mode 0600) and start Castellan again`)
  const unfit = webhook.secrets.flatMap(({ secret }) => {
    const written = secrets[secret]
    const read = written === undefined ? undefined : secretBytes(webhook.kind, written)
    return read && 'problem' in read ? [`the secret ${secret} will not do: ${read.problem}`] : []
  })
  return [...missing, ...unfit]
}
