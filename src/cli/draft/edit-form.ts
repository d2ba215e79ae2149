import { Fault } from '../../kernel/fault.ts'

/** The words of a mail that the operator may change. */
export interface Words {
  readonly recipients: { readonly to: readonly string[]; readonly cc: readonly string[]; readonly bcc: readonly string[] }
  readonly subject: string
  readonly text: string
}

const fields = ['to', 'cc', 'bcc', 'subject'] as const

/** The words as a text to edit: a head of one address a line, an empty line, the body. */
export function writeForm({ recipients, subject, text }: Words, comment: string): string {
  const lines = (name: string, values: readonly string[]) => (values.length === 0 ? [''] : values).map((value) => `${name}: ${value}`.trimEnd())
  const head = [
    ...comment.split('\n').map((line) => `# ${line}`), ...lines('To', recipients.to), ...lines('Cc', recipients.cc), ...lines('Bcc', recipients.bcc), `Subject: ${subject}`,
  ]
  return `${head.join('\n')}\n\n${text}`
}

/** Reads such a text. What stands behind the empty line is the body as it is. @throws Fault `draft.form` */
export function readForm(form: string): Words {
  const [, head = '', text = ''] = /^([\s\S]*?)(?:\r?\n\r?\n([\s\S]*))?$/.exec(form)!
  const found: Record<(typeof fields)[number], string[]> = { to: [], cc: [], bcc: [], subject: [] }
  for (const line of head.split(/\r?\n/)) {
    if (line.startsWith('#') || line.trim() === '') continue
    const [, name = '', value = ''] = /^([A-Za-z]+):(.*)$/.exec(line) ?? []
    const field = fields.find((known) => known === name.toLowerCase())
    if (field === undefined) throw new Fault('invalid', 'draft.form', `${JSON.stringify(line.slice(0, 80))} is no line of the head: write To:, Cc:, Bcc: or Subject:, then an empty line before the text`)
    if (value.trim() !== '') found[field].push(...(field === 'subject' ? [value.trim()] : addressesIn(value)))
  }
  if (found.subject.length > 1) throw new Fault('invalid', 'draft.form', 'the head has two subjects; leave one')
  return { recipients: { to: found.to, cc: found.cc, bcc: found.bcc }, subject: found.subject[0] ?? '', text }
}

/** `a@x, b@y` are two; `Ott, Max <max@x>` is one, because a part without an @ is no address. */
export function addressesIn(line: string): string[] {
  const parts = line.split(',').map((part) => part.trim())
  return parts.every((part) => part.includes('@')) ? parts : [line.trim()]
}
