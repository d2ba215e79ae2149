import { seeded, valuesFrom } from './redaction-values.ts'

/** A text, and where in it something stands that may not be handed on. */
export interface LabelledText {
  readonly language: 'en' | 'de' | 'fr' | 'code'
  readonly text: string
  readonly spans: readonly { readonly kind: string; readonly start: number; readonly end: number }[]
}

/** `{kind}` is a value that has to be found, `<kind>` one that only looks like it. */
const templates: Readonly<Record<LabelledText['language'], readonly string[]>> = {
  en: [
    'Hi Tom, could you send the offer to {mail} and copy {mail}? If anything is unclear, call me on {phone_en}.',
    'The refund of <price> goes to {iban}; the card {card} has expired. Order <order>, placed <time>.',
    'Patient notes: DOB {born_en}, NHS number {nhs}, seen on <time> because of a cough.',
    'Employee record: born {born_en}, SSN {ssn}, extension 204, phone {phone_en}.',
    'For payroll we need your National Insurance number; on file is {nino}. Reply to {mail}.',
    'My TFN is {tfn} and the Medicare card says {medicare}. Thanks!',
    'The server at {ip} answers, {ip} does not. Its card is {mac}. Logged at <time>, build <hash>.',
    'Use Authorization: Bearer {bearer} when you call the staging API, version <version>.',
    'The old password: "{password}" no longer works, request <uuid>.',
    'Please connect with {db_url} and run migration <hash>.',
    'He wrote from {spelled_mail}, about order <order>.',
    'The attachment begins with {base64_mail} and its checksum is <hash>.',
    'Release <version> fixes 14 bugs; see ticket <order>, commit <hash>, request <uuid>, and the invoice over <price>.',
    'The meeting is on <time>, room 4.12, the budget is <price>, and the discount 7.5 % until <time>.',
    'Section 3.2.1 was rewritten at <time>; the ratio is 1:2:4, pages 100-120, ISBN 978-3-16-148410-0.',
    'Basic authentication is off by default, and the password is whatever you chose when you signed up.',
    'Tracking <order> left the depot at <time>; 12 parcels, 340 kg, container no. <order>.',
  ],
  de: [
    'Sehr geehrte Frau Weber, bitte überweisen Sie <price> auf {iban} und melden Sie sich unter {phone_de} oder {mail}.',
    'Der Antrag: geboren am {born_de} in Kiel, Steuer-ID {german_tax}, Sozialversicherungsnummer {german_insurance}.',
    'Personalausweisnummer {identity_card}, ausgestellt am <time>. Kundennummer <order>.',
    'Die Versicherte (AHV {swiss}) ist seit <time> bei uns; Rückfragen an {mail}.',
    'Österreichische Mitarbeiterin, SV-Nummer {austrian}, Telefon {phone_de}.',
    'Geburtsdatum: {born_de}, Konto {iban}, Karte {card}.',
    'Passwort: "{password}" – bitte nach dem ersten Anmelden ändern. Gerät {mac}, Adresse {ip}.',
    'Die Rechnung <order> vom <time> über <price> ist beglichen; Version <version>, Bau <hash>.',
    'Aktenzeichen 12 O 345/26, Verhandlung <time>, Saal 2.104, Streitwert <price>.',
    'Das Passwort: bitte telefonisch erfragen. Kennwort: vergessen? Dann den Vorgang <uuid> nennen.',
    'Bestellung <order>, Artikel 4711-0815, Menge 12, Gewicht 3,5 kg, Lieferung <time>.',
    'Wir treffen uns am <time> um 14:30 Uhr; das Kind wurde ein Jahr vor dem Umzug geboren, die Feier ist erst viel später, voraussichtlich am <time>.',
  ],
  fr: [
    'Bonjour, merci de virer <price> sur le compte {iban} et de me rappeler au {phone_fr}, ou d’écrire à {mail}.',
    'Assuré né le {born_fr}, numéro de sécurité sociale {french}, dossier <order>.',
    'Date de naissance : {born_fr} – téléphone {phone_fr} – carte {card}.',
    'Mot de passe : "{password}" pour le serveur {ip}, à changer avant le <time>.',
    'La facture <order> du <time> (montant <price>) est réglée ; version <version>, empreinte <hash>.',
    'Rendez-vous le <time>, salle 3.14, référence <uuid>, colis <order>.',
    'Le projet est né en janvier ; le budget de <price> a été voté, et la livraison <order> suit le <time>.',
  ],
  code: [
    '{"user":{"mail":"{mail}","phone":"{phone_en}"},"request":"<uuid>","at":"<time>","total":1299}',
    'OPENAI_KEY={api_key}\nRELEASE=<version>\nCOMMIT=<hash>',
    'curl -H "Authorization: Basic {basic}" https://api.example/v1/orders/<uuid>?page=2',
    '<time> INFO request from {ip} took 12.5 ms id=<uuid> trace=<hash>',
    'const limit = 1_000_000 // since <version>; see commit <hash>\nexport const timeout = { connect: 3000, idle: 60000 }',
    '"node_modules/a": { "version": "<version>", "integrity": "<sha>", "engines": { "node": ">=20.19.0" } }',
    'select id, label_level from run where id = \'<uuid>\' and opened_at > \'<time>\' limit 100 -- std::chrono::hours, a::b',
    'password: userPassword, token: readToken(), secret: process.env.SECRET_NAME, key: keyOf(request)',
    'git log --since=<time> <hash>..<hash> -- src/labels/detectors # 120 insertions, 45 deletions',
  ],
}

/** How often each template is filled. */
const repeats = 14

/** Labelled texts in three languages and code, the same for the same seed. */
export function labelledTexts(seed = 20261128): LabelledText[] {
  const values = valuesFrom(seeded(seed))
  return Object.entries(templates).flatMap(([language, of]) =>
    of.flatMap((template) => Array.from({ length: repeats }, () => fill(language as LabelledText['language'], template, values))))
}

function fill(language: LabelledText['language'], template: string, values: Record<string, () => string>): LabelledText {
  const spans: LabelledText['spans'][number][] = []
  let text = ''
  let at = 0
  for (const match of template.matchAll(/[{<]([a-z0-9]+(?:_[a-z0-9]+)*)[}>]/g)) {
    const value = values[match[1]!]!()
    text += template.slice(at, match.index)
    if (match[0].startsWith('{')) spans.push({ kind: match[1]!, start: text.length, end: text.length + value.length })
    text += value
    at = match.index + match[0].length
  }
  return { language, text: text + template.slice(at), spans }
}
