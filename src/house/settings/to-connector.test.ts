import assert from 'node:assert/strict'
import { test } from 'node:test'
import { houseFolder, someTools } from '../../../test/support/house-folder.ts'
import { loadHouse } from '../index.ts'

test('connectors are as they stand in the file, with what is usual where it says nothing', async (t) => {
  const { house, problems } = await loadHouse(houseFolder(t, {
    'castellan.yaml': `folders: { vault: { path: vault, access: write, label: P1 } }
shell: { rules: [ { program: rm, arguments: ["-rf"], outcome: forbidden, reason: too much } ] }
outbox:
  connectors:
    file: { path: outbox, limits: { hour: 10 } }
    hook: { kind: webhook, url: "https://hooks.example.org", secret: { secret: hook }, limits: { hour: 50, day: 500 } }
    crm: { kind: http, url: "https://api.example.org/v1/", methods: [POST, POST], credential: { secret: crm }, spends: { amount: /amount } }
    near: { kind: http, url: "http://10.0.0.8:8080", methods: [GET], private: true }
    chat: { kind: telegram, chat: "-100123", token: { secret: bot } }
    chores: { kind: shell, folders: [vault], allow: [/usr/bin/rm], timeout: 20s }
    tidy: { kind: files, folders: [vault] }
    site: { kind: git, repository: /srv/site, remote: "https://git.example.org/site.git", branches: [agent/*], user: house, password: { secret: git } }
    forge: { kind: github, repository: house/site, token: { secret: forge } }
    news: { kind: mastodon, instance: "https://social.example/", account: house, token: { secret: news } }
    work: { kind: caldav, calendar: "https://dav.example.org/house/work", user: house, password: { secret: dav }, organizer: "Haus <house@example.org>" }
    letters: { kind: listmonk, url: "https://lists.example.org/", user: castellan, token: { secret: lists }, from: "Haus <news@example.org>", lists: [Readers] }
    few: { kind: mastodon, instance: "https://social.example", account: house, token: { secret: news }, limits: { hour: 1 } }
`,
  }), { tools: someTools, env: {} })
  assert.deepEqual(problems.filter(({ severity }) => severity === 'error'), [])
  const [connectors, many] = [house!.settings.outbox.connectors.slice(0, -4), house!.settings.outbox.connectors.slice(-4)]
  assert.deepEqual(many[0], { name: 'news', kind: 'mastodon', instance: 'https://social.example', account: 'house', token: { secret: 'news' }, private: false, limits: { hour: 10, day: 300 } })
  assert.deepEqual(many[1], {
    name: 'work', kind: 'caldav', calendar: 'https://dav.example.org/house/work/', user: 'house', password: { secret: 'dav' }, organizer: 'Haus <house@example.org>', private: false, limits: { hour: 60, day: 300 },
  })
  assert.deepEqual(many[2], {
    name: 'letters', kind: 'listmonk', url: 'https://lists.example.org', user: 'castellan', token: { secret: 'lists' }, from: 'Haus <news@example.org>', lists: ['Readers'], private: false, limits: { hour: 2, day: 5 },
  })
  assert.deepEqual(many[3]!.limits, { hour: 1, day: 300 })
  assert.deepEqual(connectors.at(-1), { name: 'forge', kind: 'github', repository: 'house/site', bases: ['main'], token: { secret: 'forge' }, api: 'https://api.github.com', private: false, limits: { hour: 10, day: 10 } })
  assert.deepEqual(connectors.at(-2), { name: 'site', kind: 'git', repository: '/srv/site', remote: 'https://git.example.org/site.git', branches: ['agent/*'], private: false, user: 'house', password: { secret: 'git' }, limits: { hour: 100, day: 100 } })
  assert.deepEqual(connectors.at(-3), { name: 'tidy', kind: 'files', folders: house!.settings.folders })
  assert.deepEqual(connectors.at(-4), { name: 'chores', kind: 'shell', folders: house!.settings.folders, allow: ['/usr/bin/rm'], rules: [{ program: 'rm', arguments: ['-rf'], outcome: 'forbidden', reason: 'too much' }], timeoutMs: 20_000 })
  assert.deepEqual(connectors.slice(1, -4), [
    { name: 'hook', kind: 'webhook', url: 'https://hooks.example.org/', secret: { secret: 'hook' }, private: false, limits: { hour: 50, day: 500 } },
    { name: 'crm', kind: 'http', url: 'https://api.example.org/v1', methods: ['POST'], private: false, credential: { header: 'authorization', prefix: 'Bearer ', secret: 'crm' }, spends: { amount: '/amount', per: 100, currency: 'EUR' } },
    { name: 'near', kind: 'http', url: 'http://10.0.0.8:8080', methods: ['GET'], private: true },
    { name: 'chat', kind: 'telegram', chat: '-100123', token: { secret: 'bot' }, api: 'https://api.telegram.org', private: false },
  ])
  assert.deepEqual(house!.settings.outbox.connectors[0]!.limits, { hour: 10 })
})
