import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createCaldavConnector } from '../src/outbox/connectors/caldav/caldav.ts'
import { createListmonkConnector } from '../src/outbox/connectors/listmonk/listmonk.ts'
import { createMastodonConnector } from '../src/outbox/connectors/mastodon.ts'
import { withoutChromium } from './support/chromium.ts'
import { listmonkToken, listmonkUser, startListmonkApi } from './support/listmonk-api.ts'
import { mastodonToken, startMastodonApi } from './support/mastodon-api.ts'
import { calendarPassword, calendarUser, startRadicale, withoutRadicale } from './support/radicale.ts'
import { faultsOf, signingDesk } from './support/signing-desk.ts'

test('an event, a newsletter and a post are read whole on the page; the session signs the small ones, the passkey what goes to many', { skip: withoutChromium || withoutRadicale }, async (t) => {
  const [radicale, listmonk, mastodon] = await Promise.all([startRadicale(t), startListmonkApi(t), startMastodonApi(t)])
  const calendar = await radicale.makeCalendar('work')
  const label = { level: 0, integrity: 'trusted', lanes: [] } as const
  const network = { isPrivate: true }
  const desk = (await signingDesk(t, { connectors: () => [
    createCaldavConnector({ name: 'work', calendar, user: calendarUser, password: { secret: 'dav', value: calendarPassword }, network }),
    createListmonkConnector({ name: 'letters', url: listmonk.server.url, user: listmonkUser, token: { secret: 'lists', value: listmonkToken }, from: 'news@example.org', lists: ['*'], network }),
    createMastodonConnector({ name: 'news', instance: mastodon.server.url, account: 'house', token: { secret: 'news', value: mastodonToken }, network }),
  ] }))!
  const { outbox, page, press } = desk
  await desk.enter()
  const text = () => page.locator('.letter-text').textContent()

  const event = await outbox.freeze({ title: 'Zahnarzt', start: '2026-03-05T10:00', end: '2026-03-05T11:00', zone: 'Europe/Berlin' }, { kind: 'calendar.create', connector: 'work', label })
  desk.changed()
  await page.locator('.row').first().waitFor()
  await press('Home')
  await page.locator('.acts').waitFor()
  assert.match((await text())!, /Zahnarzt\nfrom Thursday 5 March 2026, 10:00 \(Europe\/Berlin\)\nto {3}Thursday 5 March 2026, 11:00/)
  await press('a')
  await page.locator(`.row[data-id="${event.id}"][data-state="held"]`).waitFor()

  const letter = await outbox.freeze({ subject: 'Neues im März', lists: ['Readers'], text: 'Hallo.\n\n[Abmelden]({{ UnsubscribeURL }})' }, { kind: 'newsletter.send', connector: 'letters', label })
  const post = await outbox.freeze({ text: 'Ab Montag offen', visibility: 'public' }, { kind: 'social.post', connector: 'news', label })
  desk.changed()
  for (const [{ id }, title, words] of [[letter, 'Newsletter to 4,000 people: Neues im März', /^Mail this newsletter to 4,000 people, by /], [post, 'Post (public): Ab Montag offen', /for everybody to read, in public timelines too \(public\)/]] as const) {
    await page.locator(`.row[data-id="${id}"]`).click()
    await page.locator('.draft-title', { hasText: title }).waitFor()
    assert.match((await text())!, words)
    if (id === letter.id) assert.deepEqual(await faultsOf(page), [])
    await page.getByRole('button', { name: id === letter.id ? 'Approve with passkey' : /^Approve(?! with)/ }).click()
    await page.locator(`.row[data-id="${id}"][data-state="held"]`).waitFor()
  }
  assert.equal(await desk.release(), 3)
  assert.deepEqual([await radicale.list(calendar), listmonk.started().map(({ subject }) => subject), mastodon.posts.map((one) => one.text)], [[`${event.id}.ics`], ['Neues im März'], ['Ab Montag offen']])
})
