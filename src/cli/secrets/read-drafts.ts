import { toFault } from '../../kernel/fault.ts'
import type { ScanText } from '../../secrets/index.ts'
import type { Invocation } from '../command/add-command.ts'
import type { DraftLine, ReleaserDraft } from '../draft/releaser-draft.ts'
import { verifyDraft } from '../draft/verify-draft.ts'

const most = 1000

/** What drafts say, shown by the releaser to who may sign them; it is looked through here and goes nowhere. Those whose time is over are gone. */
export async function readDrafts({ releaser, say }: Pick<Invocation, 'releaser' | 'say'>): Promise<{ texts: ScanText[]; unread: string[] }> {
  const texts: ScanText[] = []
  const unread: string[] = []
  try {
    const client = await releaser()
    const lines = await client.get<DraftLine[]>('/drafts', { limit: most, snoozed: 'true' })
    for (const { id, label } of lines) {
      const file = `draft ${id} (${label.word})`
      const draft = await client.get<ReleaserDraft>(`/drafts/${id}`)
      try {
        // bytes as they would leave, where mail is encoded, and the text that they carry
        texts.push({ where: 'draft', file, content: Buffer.from(`${draft.document}\n${Buffer.from(draft.wire, 'base64').toString('latin1')}\n${(await verifyDraft(draft)).text}`) })
      } catch (error) {
        if (toFault(error).code !== 'draft.swept') unread.push(file)
      }
    }
  } catch (error) {
    const { code, message } = toFault(error)
    if (code !== 'up.missing') throw error
    say(`Drafts were not looked at: ${message}`)
  }
  return { texts, unread }
}
