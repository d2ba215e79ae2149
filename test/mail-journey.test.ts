import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { readMessage } from '../src/tools/mail/parse/read-message.ts'
import { mailDesk, mirrored, withoutMailDesk } from './support/mail-desk.ts'

const skip = withoutMailDesk
const sample = (name: string) => readFileSync(join(import.meta.dirname, '..', 'house', 'sample', 'mailbox', name))

const overnight = `
summary: Reads the mail of the night and proposes answers
lane: private
steps:
  - { id: mail, uses: mail.list, with: { account: desk } }
  - { id: triage, uses: text.triage, with: { messages: "{{ steps.mail.output.messages }}" } }
  - id: replies
    uses: text.replies
    with:
      items: "{{ steps.triage.output.items }}"
      templates: { meeting: "Dear {{ '{{ name }}' }},\\n\\nThursday 14:00 suits me.\\n\\n{{ '{{ signature }}' }}" }
      signature: Mira Halden
  - { id: propose, uses: outbox.propose, with: { connector: post, proposals: "{{ steps.replies.output.proposals }}" } }
`

const letter = [
  'From: Levke Weber <levke@nordlicht-baeckerei.example>', 'To: Mira Halden <mira@halden.example>', 'Subject: Re: Meeting about the stollen page',
  'Message-ID: <5d0f-1922@nordlicht-baeckerei.example>', 'In-Reply-To: <stollen-2@halden.example>', 'References: <stollen-1@halden.example> <stollen-2@halden.example>',
  'Date: Thu, 19 Nov 2026 23:22:05 +0100', 'MIME-Version: 1.0', 'Content-Type: text/plain; charset=utf-8', '',
  'Hi Mira,', '', 'can we move our meeting to Thursday 14:00? Same place, same cake.', '', 'Levke', '',
].join('\r\n')

test('mail of the night is answered at the desk: the answer is edited, signed by passkey, and exactly its bytes are delivered once', { skip, timeout: 180_000 }, async (t) => {
  const desk = (await mailDesk(t, { jobs: { 'overnight.yaml': overnight } }))!
  const { dovecot, smtp, page, house } = desk
  await dovecot.append('Sent', 'Subject: an earlier letter\r\n\r\n')
  await dovecot.append('INBOX', letter)
  await mirrored(house, 1)
  await desk.run('overnight')
  const title = 'Re: Meeting about the stollen page'
  await desk.pointAt(title)
  const [first] = await desk.drafts()
  assert.deepEqual([first!.state, first!.title, first!.risk < 7], ['waiting', title, true])

  await page.keyboard.press('e')
  const text = page.locator('.edit textarea.mono')
  await text.waitFor()
  assert.match(await text.inputValue(), /^Dear Levke Weber,\n\nThursday 14:00 suits me\.\n\nMira Halden$/)
  await text.fill((await text.inputValue()).replace('14:00', '15:00'))
  await page.keyboard.press('Control+Enter')
  await page.locator('ins', { hasText: '15' }).waitFor()
  await page.locator('del', { hasText: '14' }).waitFor()
  await desk.becomes(first!.id, 'replaced')
  const edited = (await desk.drafts()).find(({ replaces }) => replaces === first!.id)!
  const shown = await house.call<{ wire: string; sha256: string; challenge: string }>('releaser', 'GET', `/drafts/${edited.id}`)

  await page.keyboard.press('p')
  await desk.becomes(edited.id, 'held')
  await desk.becomes(edited.id, 'released')
  const { history } = await house.call<{ history: { event: string; by?: string; receipt?: Record<string, unknown> }[] }>('releaser', 'GET', `/drafts/${edited.id}`)
  assert.match(history.find(({ event }) => event === 'approved')!.by!, /^passkey:/)

  assert.equal(smtp.received.length, 1)
  const [{ envelope, raw }] = smtp.received as [(typeof smtp.received)[number]]
  assert.deepEqual([envelope.from, envelope.to], ['mira@halden.example', ['levke@nordlicht-baeckerei.example']])
  assert(raw.equals(Buffer.from(shown.wire, 'base64')), 'what arrived is not what was signed')
  const arrived = await readMessage(Readable.from([raw]))
  assert.match(arrived.text, /Thursday 15:00 suits me/)
  assert.deepEqual([arrived.envelope.inReplyTo, arrived.envelope.references], [
    '<5d0f-1922@nordlicht-baeckerei.example>', ['<stollen-1@halden.example>', '<stollen-2@halden.example>', '<5d0f-1922@nordlicht-baeckerei.example>'],
  ])
  const receipt = history.find((line) => line.event === 'released')!.receipt!
  assert.deepEqual([receipt.sha256, receipt.recipients], [shown.sha256, 1])

  // what was shown first can be signed no more, neither at the terminal nor on the page
  const old = await house.call<{ challenge: string }>('releaser', 'GET', `/drafts/${first!.id}`)
  await assert.rejects(house.call('releaser', 'POST', `/drafts/${first!.id}/decide`, { verdict: 'deny' }), { code: 'draft.too_late' })
  const refused = await page.evaluate(signAs, { id: first!.id, challenge: old.challenge })
  assert.deepEqual([refused.status, refused.code], [409, 'draft.too_late'])

  // the copy in the mailbox is the same letter, and nothing comes twice
  for (const deadline = Date.now() + 20_000; (await dovecot.list('Sent')).length < 2; await delay(100)) assert(Date.now() < deadline, 'no copy was filed')
  assert.deepEqual((await dovecot.list('Sent')).map((copy) => copy.raw.equals(raw)), [false, true])
  assert.equal(smtp.received.length, 1)
  assert.equal((await house.call<{ ok: boolean }>('releaser', 'GET', '/audit/verify')).ok, true)
})

const forwarding = `
summary: Hands invoices to the bookkeeper, as a model would that was talked into it
lane: private
steps:
  - { id: mail, uses: mail.list, with: { account: desk } }
  - id: propose
    uses: outbox.propose
    with:
      connector: post
      proposals:
        - key: fraud
          kind: mail
          to: [books@halden.example]
          subject: 'Fwd: {{ steps.mail.output.messages | where: "messageId", "<a91f33d0$kranich@kranich-hosting-billing.example>" | map: "subject" | first }}'
          text: '{{ steps.mail.output.messages | where: "messageId", "<a91f33d0$kranich@kranich-hosting-billing.example>" | map: "text" | first }}'
        - { key: thanks, kind: mail, to: [levke@nordlicht-baeckerei.example], subject: Thank you, text: "Until Thursday." }
`

test('an invoice "with a new IBAN" is high-risk with its reasons, is left out of a batch, refused to the session key, and denied when nobody signs it', { skip, timeout: 180_000 }, async (t) => {
  const desk = (await mailDesk(t, { jobs: { 'forward.yaml': forwarding } }))!
  const { dovecot, smtp, page, house } = desk
  await dovecot.append('INBOX', sample('03-invoice-kranich.eml'))
  await dovecot.append('INBOX', sample('04-invoice-new-iban.eml'))
  await mirrored(house, 2)
  await desk.run('forward')
  await page.locator('.row').nth(1).waitFor()
  const drafts = await desk.drafts()
  const fraud = drafts.find(({ title }) => title.startsWith('Fwd: '))!
  const thanks = drafts.find(({ title }) => title === 'Thank you')!
  assert(fraud.risk >= 7 && thanks.risk < 7, JSON.stringify([fraud.risk, thanks.risk]))

  await desk.pointAt(fraud.title)
  for (const reason of fraud.reasons) await page.getByText(reason.replace(/^[+−]\d+ |^at least \d+: /, '')).first().waitFor()
  assert(fraud.reasons.some((reason) => /IBAN/.test(reason)) && fraud.reasons.some((reason) => /change of bank details/.test(reason)), fraud.reasons.join('\n'))

  await page.keyboard.press('x')
  await desk.pointAt(thanks.title)
  await page.keyboard.press('x')
  await page.keyboard.press('A')
  await page.getByText('Approve 1, ').waitFor()
  await page.getByText(`risk ${fraud.risk}: takes the passkey, by itself`).first().waitFor()
  await page.keyboard.press('Enter')
  await desk.becomes(thanks.id, 'released')

  const { challenge } = await house.call<{ challenge: string }>('releaser', 'GET', `/drafts/${fraud.id}`)
  const refused = await page.evaluate(signAs, { id: fraud.id, challenge })
  assert.deepEqual([refused.status, refused.code], [403, 'draft.passkey_needed'])
  assert.equal((await desk.drafts()).find(({ id }) => id === fraud.id)!.state, 'waiting')

  // its half hour is too long for a test, and whatever were short enough too short for what was done above on a busy machine: so one more, with a deadline of its own
  const settings = join(house.folder, 'castellan.yaml')
  writeFileSync(settings, readFileSync(settings, 'utf8').replace(/^outbox:$/m, 'outbox:\n  expiry: { high_risk: 5s }'))
  await house.call('server', 'POST', '/api/reload')
  await desk.run('forward')
  const unsigned = await desk.frozen(({ id, title }) => title === fraud.title && id !== fraud.id)
  await desk.becomes(unsigned.id, 'expired')
  await page.locator(`.row[data-id="${unsigned.id}"][data-state="waiting"]`).waitFor({ state: 'detached' })
  await assert.rejects(house.call('releaser', 'POST', `/drafts/${unsigned.id}/decide`, { verdict: 'deny' }), { code: 'draft.too_late' })
  assert.equal((await desk.drafts()).find(({ id }) => id === fraud.id)!.state, 'waiting')
  assert.deepEqual(smtp.received.map(({ envelope }) => envelope.to), [['levke@nordlicht-baeckerei.example']])
})

/** In the page, as a script would that got into it: takes the session key where it is kept, and signs this challenge with it. */
async function signAs({ id, challenge }: { id: string; challenge: string }): Promise<{ status: number; code: string | undefined }> {
  // oxlint-disable-next-line no-explicit-any -- this runs in the browser, whose types are not those of the tests
  const { indexedDB, crypto, fetch, location } = globalThis as any
  const ask = (request: { result: never; addEventListener(name: string, hear: () => void): void }): Promise<never> => new Promise((resolve) => request.addEventListener('success', () => resolve(request.result)))
  const database = (await ask(indexedDB.open('castellan-signing', 1))) as unknown as { transaction(name: string): { objectStore(name: string): { get(key: string): never } } }
  const key = (await ask(database.transaction('keys').objectStore('keys').get('session'))) as { keyId: string; privateKey: unknown }
  const bytes = (hex: string) => Uint8Array.from(hex.match(/../g)!, (pair) => Number.parseInt(pair, 16))
  const sign = async (message: Uint8Array) => btoa(String.fromCharCode(...new Uint8Array(await crypto.subtle.sign('Ed25519', key.privateKey, message))))
  const post = async (path: string, body: object, token?: string) => {
    const answer = await fetch(`${location.origin}${path}`, { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) } })
    return { status: answer.status as number, ...((await answer.json()) as { data?: Record<string, string>; error?: { code: string } }) }
  }
  const asked = await post('/api/session/challenge', { key_id: key.keyId })
  const prefix = new TextEncoder().encode('castellan/1/resume')
  const nonce = bytes(asked.data!.challenge!)
  const resumed = await post('/api/session/resume', {
    key_id: key.keyId, challenge: asked.data!.challenge,
    signature: await sign(new Uint8Array(await crypto.subtle.digest('SHA-256', new Uint8Array([...prefix, ...nonce])))),
  })
  const decided = await post(`/api/drafts/${id}/decide`, { verdict: 'approve', challenge, key_id: key.keyId, signature: await sign(bytes(challenge)) }, resumed.data!.token)
  return { status: decided.status, code: decided.error?.code }
}
