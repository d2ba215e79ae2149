import { matches } from '../../house/index.ts'
import { suspicions } from './suspicions.ts'
import type { Action, Category, TriageItem, TriageMessage, TriageRule } from './triage-message.ts'

const usual: Readonly<Record<Category, { readonly priority: number; readonly action: Action }>> = {
  urgent: { priority: 1, action: 'reply' },
  suspicious: { priority: 2, action: 'review' },
  request: { priority: 2, action: 'reply' },
  meeting: { priority: 2, action: 'reply' },
  invoice: { priority: 3, action: 'review' },
  bounce: { priority: 3, action: 'review' },
  other: { priority: 4, action: 'review' },
  newsletter: { priority: 5, action: 'file' },
}

/** In the order in which they are asked; the first that holds decides. */
const builtIn: readonly { readonly category: Category; readonly reason: string; holds(message: TriageMessage, text: string): boolean }[] = [
  { category: 'bounce', reason: 'a mail server reports that a message did not arrive', holds: ({ from, subject }) =>
    /^(mailer-daemon|postmaster)@/i.test(from.address) || /^(undeliver|delivery (status|failure)|mail delivery|returned mail|unzustellbar|failure notice)/i.test(subject) },
  { category: 'newsletter', reason: 'it can be unsubscribed from', holds: ({ listUnsubscribe }) => listUnsubscribe === true },
  { category: 'urgent', reason: 'it says that it is urgent', holds: (_message, text) =>
    word('urgent|asap|immediately|as soon as possible|emergency|by (today|tonight|noon)|end of (the )?day|dringend|eilt|sofort|umgehend|heute noch|notfall', text) },
  { category: 'meeting', reason: 'it is about a meeting', holds: ({ attachments }, text) =>
    (attachments ?? []).some(({ type }) => /^text\/calendar|application\/ics/i.test(type)) ||
    word('meeting|appointment|calendar invit\\w*|reschedule|termin|besprechung|terminvorschlag|videokonferenz|einladung zum', text) },
  { category: 'invoice', reason: 'it is about an invoice', holds: (_message, text) =>
    word('invoice|receipt|payment due|amount due|past due|rechnung|zahlungserinnerung|mahnung|quittung|gutschrift', text) },
  { category: 'request', reason: 'it asks for something', holds: (_message, text) =>
    /\?(\s|$)/.test(text) || word('could you|can you|would you|please (send|let|confirm|call|provide)|i need|we need|könnten sie|können sie|kannst du|würden sie|bitte (senden|schicken|teilen|rufen|geben|bestätigen)|ich (brauche|benötige|bitte)|wir (brauchen|benötigen|bitten)', text) },
]

/** Sorts one message by what is suspicious in it, then by the operator's rules, then by those that are built in. */
export function triageMessage(message: TriageMessage, rules: readonly TriageRule[]): TriageItem {
  const text = `${message.subject}\n${message.text ?? message.snippet}`.toLowerCase()
  const suspicious = suspicions(message)
  // no rule of the operator's makes a suspicious message a harmless one: its sender chose what the rule looks at
  if (suspicious.length > 0) return itemOf(message, 'suspicious', suspicious)
  const rule = rules.find((one) => holds(one, message, text))
  if (rule) return itemOf(message, rule.category, [rule.reason ?? `your rule for ${rule.from ?? rule.subject ?? rule.to ?? rule.words!.join(', ')}`], rule)
  const found = builtIn.find((one) => one.holds(message, text))
  if (found) return itemOf(message, found.category, [found.reason], message.autoSubmitted && usual[found.category].action === 'reply' ? { action: 'review' } : {})
  return itemOf(message, 'other', ['no rule says more about it'], message.autoSubmitted ? { action: 'ignore', priority: 5 } : {})
}

function itemOf(message: TriageMessage, category: Category, reasons: string[], chosen: Pick<TriageRule, 'priority' | 'action'> = {}): TriageItem {
  const { id, from, subject, date, snippet, messageId, inReplyTo, references } = message
  return {
    id, category, reasons, from, subject, date, snippet, messageId, inReplyTo, references,
    priority: chosen.priority ?? usual[category].priority,
    action: chosen.action ?? usual[category].action,
  }
}

function holds(rule: TriageRule, message: TriageMessage, text: string): boolean {
  return (
    (rule.from === undefined || matches(rule.from, message.from.address)) &&
    (rule.to === undefined || (message.to ?? []).some(({ address }) => matches(rule.to!, address))) &&
    (rule.subject === undefined || matches(rule.subject, message.subject)) &&
    (rule.words === undefined || rule.words.some((one) => text.includes(one.toLowerCase())))
  )
}

function word(alternatives: string, text: string): boolean {
  return new RegExp(`(?<![\\p{L}\\p{N}])(?:${alternatives})(?![\\p{L}\\p{N}])`, 'u').test(text)
}
