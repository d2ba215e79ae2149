import type { TriageMessage } from './triage-message.ts'

/** Words that speak to an assistant, or that come with a fraud. English and German; `~` stands for up to six words in between. */
const signs: readonly (readonly [reason: string, ...phrases: string[]])[] = [
  ['it gives instructions to an assistant or a model',
    '(ignore|disregard|forget|override)~(previous|prior|above|earlier|all|your|system)~(instruction|instructions|prompt|prompts|rules|guidelines)',
    '(ignoriere|vergiss|missachte|ignorieren sie)~(vorherigen?|bisherigen?|obigen?|alle|deine|ihre)~(anweisungen?|regeln|vorgaben|instruktionen)',
    '(system|developer) prompt', 'you are (now )?(an? )?(ai|assistant|language model|chatbot|llm|agent)', 'as an (ai|assistant|language model)',
    'du bist (jetzt )?(ein )?(ki|assistent|sprachmodell|agent)',
    '(ai|ki|email|mail|llm) ?-?(assistant|agent|assistent|model|modell)(s|e|en)?~(must|should|please|muss|soll|bitte)',
    '(note|instructions?|message|hinweis|anweisung) (to|for|an|für) (the |all |any |die |den |das |alle )?(ai|assistants?|agents?|llms?|ki|assistenten?|models?|modelle?)',
    '(do not|don\'t|without)~(tell|telling|inform|informing|mention|mentioning|notify|notifying)~(user|owner|operator|human)',
    '(system|assistant|user) ?: ', 'new instructions? ?:', 'jailbreak', 'end of (system )?(prompt|instructions)'],
  ['it asks for mail or data to be passed on',
    '(forward|send|export|upload|leak|exfiltrate)~(all|every|entire|whole|complete)~(mail|mails|emails?|messages?|inbox|mailbox|contacts?|files?|documents?|passwords?|keys?|invoices?|conversations?)',
    '(leite|leiten|sende|senden|schicke|schicken|exportiere)~(alle|sämtliche|gesamten?|komplette)~(mails?|e-mails|nachrichten|postfach|kontakte|dateien|dokumente|passwörter|rechnungen)',
    '(add|set up|create)~(forwarding|forward) (rule|address|filter)', '(weiterleitung|weiterleitungsregel)~(einrichten|anlegen|erstellen|richte)'],
  ['it announces new bank details',
    '(new|changed|updated|different|our new)~(iban|bank account|bank details|banking details|account number|account details|payment details)',
    '(iban|bank account|bank details|banking details|account number|account details|payment details)~(has|have|was|were|is|are)~(changed|updated|new|different)',
    '(neuen?|geänderten?|aktualisierten?|andere)~(iban|bankverbindung|kontoverbindung|bankdaten|kontodaten|kontonummer|konto)',
    '(iban|bankverbindung|kontoverbindung|bankdaten|kontodaten)~(geändert|aktualisiert|gewechselt|neu)'],
  ['it asks for a password, a code or a payment that cannot be taken back',
    '(confirm|verify|validate|update|enter|send|reply with)~(password|passcode|pin|login|credentials|one-time code|verification code|security code|account information)',
    '(bestätigen|verifizieren|aktualisieren|eingeben|senden)~(passwort|kennwort|pin|zugangsdaten|tan|anmeldedaten|kontodaten)',
    '(gift|steam|itunes|google play|amazon) cards?', '(geschenk|guthaben)karten?', '(wire|western union|moneygram|crypto|bitcoin|usdt)~(transfer|payment|send|wallet)',
    '(account|mailbox|konto|postfach)~(suspended|locked|deactivated|gesperrt|deaktiviert|abgeschaltet)'],
]

const gap = "(?:[ ,:;-]+[^ ]{1,40}){0,6}[ ,:;-]+"
const patterns = signs.map(([reason, ...phrases]) => ({
  reason,
  phrases: phrases.map((phrase) => new RegExp(`(?<![\\p{L}\\p{N}])(?:${phrase.replaceAll('~', gap)})${/[: ]$/.test(phrase) ? '' : '(?![\\p{L}\\p{N}])'}`, 'u')),
}))
const lookedAt = 20_000

/** Why a message is not to be trusted: what it says, and the deceptions that its head shows. Empty when nothing was found, which proves nothing. */
export function suspicions(message: TriageMessage): string[] {
  const text = plain(`${message.subject}\n${message.text ?? message.snippet}`.slice(0, lookedAt))
  const said = patterns.filter(({ phrases }) => phrases.some((phrase) => phrase.test(text))).map(({ reason }) => reason)
  const broken = message.parseError?.code === 'mail.limit' ? ['it is built to exhaust the program that reads it'] : []
  const shown = message.warnings ?? []
  // a newsletter's answers go to its sender's office: on its own that says nothing
  const onlyElsewhere = shown.length > 0 && shown.every((warning) => warning.startsWith('replies go to'))
  const head = onlyElsewhere && message.listUnsubscribe && said.length === 0 ? [] : shown
  return [...said, ...misleadingLinks(message.text ?? ''), ...head, ...broken]
}

/** Links whose text is one address and whose target is another; the text of a mail shows both. */
function misleadingLinks(text: string): string[] {
  for (const [, shown, target] of text.slice(0, lookedAt).matchAll(/(https?:\/\/[^\s<>"]{1,500}|www\.[^\s<>"]{1,500}) <(https?:\/\/[^\s<>"]{1,1000})>/gi)) {
    const [seen, real] = [hostOf(shown!), hostOf(target!)]
    if (seen !== undefined && real !== undefined && seen !== real && !real.endsWith(`.${seen}`) && !seen.endsWith(`.${real}`)) return [`a link shows ${seen} and leads to ${real}`]
  }
  return []
}

function hostOf(url: string): string | undefined {
  const whole = /^https?:/i.test(url) ? url : `https://${url}`
  return URL.canParse(whole) ? new URL(whole).hostname.replace(/^www\./, '') : undefined
}

/** Look-alike forms made one, invisible characters taken out, so that a phrase is found however it is dressed. */
function plain(text: string): string {
  return text
    .normalize('NFKC')
    .replace(/[\u00ad\u200b-\u200f\u2060-\u2064\u202a-\u202e\u2066-\u2069\ufeff]/g, '')
    .replace(/[’‘`´]/g, "'")
    .replace(/[\s*_"“”„<>()[\]{}|]+/g, ' ')
    .toLowerCase()
}
