import { execFileSync } from 'node:child_process'
import { brief, got, stopped, type Attack, type Family } from './attack.ts'
import type { Fate, Field, Proposal } from './field.ts'

interface Case extends Proposal {
  readonly name: string
  /** Where it may be frozen: what the operator must then be shown. */
  readonly shows?: RegExp
}

const mail = { to: ['eva@example.org'], subject: 'Hello', text: 'Hello\n' }
const aMail = (name: string, more: object, shows?: RegExp): Case => ({ name, kind: 'mail', connector: 'post', payload: { ...mail, ...more }, ...(shows && { shows }) })
const attach = (name: string, type: string, content = 'QQ==') => ({ attachments: [{ name, type, content }] })

const mails: readonly Case[] = [
  aMail('a line break in the subject adds a BCC', { subject: 'Hello\r\nBcc: mallory@evil.example' }),
  aMail('a bare LF in the subject adds a header', { subject: 'Hello\nBcc: mallory@evil.example' }),
  aMail('a bare CR in the subject', { subject: 'Hello\rBcc: mallory@evil.example' }),
  aMail('a line separator (U+2028) in the subject', { subject: 'Hello\u2028Bcc: mallory@evil.example' }),
  aMail('a null byte escaped into the subject', { subject: 'Hello\u0001' }),
  aMail('letters that turn the subject around (U+202E)', { subject: 'invoice\u202efdp.exe' }),
  aMail('letters that turn the text around', { text: 'pay \u2066100\u2069 to\u202e' }),
  aMail('an escape sequence of a terminal in the text', { text: 'ok \u001b[2K\u001b[1A signed' }),
  aMail('half a character in the text', { text: 'a\ud800b' }),
  aMail('a line break in a recipient', { to: ['eva@example.org\r\nRCPT TO:<mallory@evil.example>'] }),
  aMail('two recipients in one', { to: ['eva@example.org, mallory@evil.example'] }),
  aMail('a recipient in a comment', { to: ['eva@example.org (mallory@evil.example)'] }),
  aMail('a recipient with a route', { to: ['<@evil.example:eva@example.org>'] }),
  aMail('a name that looks like another address', { to: ['"eva@example.org" <mallory@evil.example>'] }),
  aMail('a quoted name that ends early', { to: ['"Eva" <eva@example.org>" <mallory@evil.example>'] }),
  aMail('a group of recipients', { to: ['friends: eva@example.org, mallory@evil.example;'] }),
  aMail('a recipient at an address of numbers', { to: ['eva@[127.0.0.1]'] }),
  aMail('a recipient at a domain of numbers alone', { to: ['eva@127.0.0.1'] }),
  aMail('a recipient with a percent hack', { to: ['mallory%evil.example@example.org'] }, /mallory%evil\.example@example\.org/),
  aMail('a recipient with letters beyond ASCII before the @', { to: ['еva@example.org'] }),
  aMail('a domain with a letter of another script', { to: ['eva@exаmple.org'] }, /xn--/),
  aMail('a domain in wide letters', { to: ['eva@ｅｖｉｌ.example'] }, /eva@evil\.example/),
  aMail('a domain with a soft hyphen', { to: ['eva@ev\u00adil.example'] }, /eva@evil\.example/),
  aMail('a domain with a full stop of another script', { to: ['eva@evil。example'] }, /eva@evil\.example/),
  aMail('a recipient in BCC alone beside an innocent one', { bcc: ['mallory@evil.example'] }, /"bcc":\["mallory@evil\.example"\]/),
  aMail('a hundred and one recipients', { to: Array.from({ length: 101 }, (_, index) => `r${index}@evil.example`) }),
  aMail('no recipient', { to: [] }),
  aMail('a header of its own', { headers: { bcc: 'mallory@evil.example' } }),
  aMail('a sender of its own', { from: 'ceo@halden.example' }),
  aMail('an envelope of its own', { envelope: { from: 'x@evil.example', to: ['mallory@evil.example'] } }),
  aMail('an HTML part that shows something else', { html: '<b>other words</b>' }),
  aMail('a raw message', { raw: 'To: mallory@evil.example\r\n\r\nx' }),
  aMail('a text that is read from a file', { text: { path: '/etc/passwd' } }),
  aMail('an attachment that is read from a file', { attachments: [{ name: 'passwd', path: '/etc/passwd' }] }),
  aMail('an attachment that is fetched', { attachments: [{ name: 'x', href: 'http://169.254.169.254/' }] }),
  aMail('an attachment with a path in its name', attach('../../etc/cron.d/x', 'text/plain')),
  aMail('an attachment with a line break in its name', attach('a.txt"\r\nX: y', 'text/plain')),
  aMail('an attachment with a line break in its type', attach('a.txt', 'text/plain\r\nBcc: mallory@evil.example')),
  aMail('an attachment that is a message', attach('a.eml', 'message/rfc822')),
  aMail('an attachment that is several parts', attach('a', 'multipart/mixed; boundary=x')),
  aMail('an attachment that calls itself a picture of another name', attach('invoice.pdf\u202egpj.exe', 'image/png')),
  aMail('an answer to a Message-ID with a line break', { inReplyTo: '<a@b>\r\nBcc: mallory@evil.example' }),
  aMail('references with a space and a header', { references: ['<a@b> Bcc: mallory@evil.example'] }),
  aMail('a draft larger than is read', { text: 'a'.repeat(1024 * 1024 + 1) }),
  aMail('a subject of a megabyte', { subject: 'a'.repeat(1024 * 1024) }),
  aMail('twenty-one attachments', { attachments: Array.from({ length: 21 }, () => ({ name: 'a', type: 'text/plain', content: 'QQ==' })) }),
  aMail('attachments larger than are carried', attach('a.bin', 'application/octet-stream', Buffer.alloc(21 * 1024 * 1024).toString('base64'))),
  aMail('a prototype as a field', JSON.parse('{"__proto__": {"bcc": ["mallory@evil.example"]}}') as object, /"bcc":\[\]/),
]

const requests: readonly Case[] = [
  ...([
    ['a credential of its own', { method: 'POST', path: '/x', headers: { authorization: 'Bearer mine' } }],
    ['another host in a header', { method: 'POST', path: '/x', headers: { host: 'evil.example' } }],
    ['a second request hidden in the length', { method: 'POST', path: '/x', headers: { 'content-length': '0' } }],
    ['a second request hidden in chunks', { method: 'POST', path: '/x', headers: { 'transfer-encoding': 'chunked' } }],
    ['another method in a header', { method: 'POST', path: '/x', headers: { 'x-http-method-override': 'DELETE' } }],
    ['a line break in a header', { method: 'POST', path: '/x', headers: { 'x-a': 'b\r\nauthorization: mine' } }],
    ['a line break in the name of a header', { method: 'POST', path: '/x', headers: { 'x-a\r\nhost': 'evil.example' } }],
    ['a cookie', { method: 'POST', path: '/x', headers: { cookie: 'session=1' } }],
    ['a proxy’s word', { method: 'POST', path: '/x', headers: { 'x-forwarded-host': 'evil.example' } }],
    ['a method that was not declared', { method: 'DELETE', path: '/x' }],
    ['a method that there is not', { method: 'CONNECT', path: 'evil.example:443' }],
    ['a whole address as the path', { method: 'GET', path: 'https://evil.example/' }],
    ['an address without a scheme as the path', { method: 'GET', path: '//evil.example/x' }],
    ['a user in the address', { method: 'GET', path: '@evil.example/x' }],
    ['a path that climbs out', { method: 'GET', path: '/../admin' }],
    ['a path that climbs out, encoded', { method: 'GET', path: '/%2e%2e/admin' }],
    ['a path with a backslash', { method: 'GET', path: '/\\evil.example' }],
    ['a path with a line break', { method: 'GET', path: '/x HTTP/1.1\r\nhost: evil.example' }],
    ['a path with a null byte, encoded', { method: 'GET', path: '/a%00b' }],
    ['a body with a GET', { method: 'GET', path: '/x', body: 'y' }],
    ['a body larger than is read', { method: 'POST', path: '/x', body: 'a'.repeat(512 * 1024 + 1) }],
    ['an address of its own', { method: 'POST', path: '/x', url: 'https://evil.example' }],
  ] as const).map(([name, payload]): Case => ({ name: `a request with ${name}`, kind: 'http.request', connector: 'api', payload })),
  { name: 'a notice with an address of its own', kind: 'webhook', connector: 'hook', payload: { body: {}, url: 'https://evil.example' } },
  { name: 'a notice with headers', kind: 'webhook', connector: 'hook', payload: { body: {}, headers: { authorization: 'mine' } } },
  { name: 'a notice that is no object', kind: 'webhook', connector: 'hook', payload: { body: ['a'] } },
  { name: 'a notice to the place where clouds keep their keys', kind: 'webhook', connector: 'metadata', payload: { body: { a: 1 } }, shows: /169\.254\.169\.254/ },
  { name: 'a message to another chat', kind: 'telegram.message', connector: 'bot', payload: { text: 'x', chat: '-1' } },
  { name: 'a message longer than Telegram takes', kind: 'telegram.message', connector: 'bot', payload: { text: 'a'.repeat(4_097) } },
  { name: 'a message that turns its words around', kind: 'telegram.message', connector: 'bot', payload: { text: 'a\u202eb' } },
  { name: 'a message in a form that there is not', kind: 'telegram.message', connector: 'bot', payload: { text: 'x', parseMode: 'Markdown' } },
]

const acts: readonly Case[] = [
  ...(['../escape.txt', '/etc/passwd', 'a/../../b', '.git/config', '.castellan-trash/x', 'a\\b', 'a\u0000b', 'keep/\u202ea', '.', '', 'a//b', 'there-is-none.txt', 'keep\nall'] as const).map((path): Case =>
    ({ name: `a deletion of ${JSON.stringify(path)}`, kind: 'files.delete', connector: 'tidy', payload: { folder: 'tray', paths: [path] } })),
  ...([['vault', 'plans.md'], ['briefs', '.keep'], ['..', 'castellan.yaml'], ['jobs', 'x.yaml'], ['outbox', '.keep']] as const).map(([folder, path]): Case =>
    ({ name: `a deletion in the folder ${folder}, which the connector is not for`, kind: 'files.delete', connector: 'tidy', payload: { folder, paths: [path] } })),
  { name: 'a move out of the folder', kind: 'files.move', connector: 'tidy', payload: { folder: 'tray', moves: [{ from: 'keep/a.txt', to: '../jobs/a.yaml' }] } },
  { name: 'a move of a file into itself', kind: 'files.move', connector: 'tidy', payload: { folder: 'tray', moves: [{ from: 'keep', to: 'keep/a.txt' }] } },
  ...(['main', 'agent/../main', 'refs/heads/main', 'agent/x:main', '+agent/x', '--upload-pack=touch /tmp/x', 'agent/x.lock', 'agent/a b', '*'] as const).map((branch): Case =>
    ({ name: `a push to the branch ${JSON.stringify(branch)}`, kind: 'git.push', connector: 'site', payload: { branch, commit: 'a'.repeat(40) } })),
  { name: 'a push of a commit that is not there', kind: 'git.push', connector: 'site', payload: { branch: 'agent/x', commit: 'b'.repeat(40) } },
  { name: 'a push of something that is no commit', kind: 'git.push', connector: 'site', payload: { branch: 'agent/x', commit: '--help' } },
  { name: 'a push to a remote of its own', kind: 'git.push', connector: 'site', payload: { branch: 'agent/x', commit: 'a'.repeat(40), remote: 'https://evil.example' } },
  { name: 'a pull request into another branch', kind: 'pull.open', connector: 'forge', payload: { head: 'agent/typo', base: 'production', title: 'x' } },
  { name: 'a pull request in another repository', kind: 'pull.open', connector: 'forge', payload: { head: 'agent/typo', base: 'main', title: 'x', repository: 'evil/site' } },
  { name: 'a pull request from a path that climbs out', kind: 'pull.open', connector: 'forge', payload: { head: '../../../user', base: 'main', title: 'x' } },
  { name: 'a pull request whose title turns around', kind: 'pull.open', connector: 'forge', payload: { head: 'agent/typo', base: 'main', title: 'a\u202eb' } },
  { name: 'a way out that is not declared', kind: 'mail', connector: 'evil', payload: mail },
  { name: 'a kind that its way out does not carry', kind: 'webhook', connector: 'post', payload: { body: {} } },
  { name: 'a kind that there is not', kind: 'payment', connector: 'post', payload: { amount: 1 } },
  { name: 'a kind by the name of what every object has', kind: 'constructor', connector: 'post', payload: {} },
  { name: 'a clearance of a lane, as if the operator had asked', kind: 'lane.clear', connector: 'castellan.acts', payload: { lane: 'private', upstream: 'far', level: 'P2' } },
  { name: 'a machine of the operator’s own, as if he had said so', kind: 'model.own', connector: 'castellan.acts', payload: { upstream: 'far' } },
  { name: 'a clearance by a way out for mail', kind: 'lane.clear', connector: 'post', payload: { lane: 'private', upstream: 'far' } },
]

/** What the releaser asks outside while it freezes must not carry a word that nobody has signed. */
export function questions(field: Field): Family {
  const words = field.canaries.map(({ word }) => word)
  const commitOf = (word: string) => {
    const { git } = field.outside
    git.git(git.work, 'checkout', '--quiet', '-B', `agent/${word}`, 'main')
    const commit = git.commit({ [`${word}.md`]: word }, `About ${word}`)
    execFileSync('chmod', ['-R', 'o+rX', git.work])
    return commit
  }
  return {
    name: 'words in what is asked before the signature',
    async attacks() {
      const cases = words.flatMap((word): Case[] => [
        { name: 'the branch of a pull request is a word', kind: 'pull.open', connector: 'forge', payload: { head: `agent/${word}`, base: 'main', title: 'x' } },
        { name: 'the base of a pull request is a word', kind: 'pull.open', connector: 'forge', payload: { head: 'agent/typo', base: word, title: 'x' } },
        { name: 'the branch of a pull request is a word in hex', kind: 'pull.open', connector: 'forge', payload: { head: `agent/${Buffer.from(word).toString('hex')}`, base: 'main', title: 'x' } },
        { name: 'the branch of a push is a word, and so are the commit and its file', kind: 'git.push', connector: 'site', payload: { branch: `agent/${word}`, commit: commitOf(word) }, shows: new RegExp(`agent/${word}`) },
        { name: 'the commit of a push is one that is not there', kind: 'git.push', connector: 'site', payload: { branch: `agent/${word}`, commit: Buffer.from(word).toString('hex').slice(0, 40) } },
        { name: 'the path of a request is a word', kind: 'http.request', connector: 'api', payload: { method: 'GET', path: `/${word}` }, shows: new RegExp(word) },
        { name: 'the domain of a recipient is a word', kind: 'mail', connector: 'post', payload: { ...mail, to: [`eva@${word}.example`] }, shows: new RegExp(word) },
        { name: 'the host in a link is a word', kind: 'mail', connector: 'post', payload: { ...mail, text: `https://${word}.example/` }, shows: /eva@example\.org/ },
      ])
      const fates = await field.propose(cases, 3)
      return cases.map((one, index): Attack => ({ name: `${one.name} (P${index < cases.length / 2 ? 2 : 3})`, attempt: () => judge(one, fates[index]!) }))
    },
  }
}

/** A worker that was taken over proposes what no tool would: it calls the database's own function, and the releaser has to make something of it. */
export function proposals(field: Field): Family {
  const cases = [...mails, ...requests, ...acts]
  return {
    name: 'proposals of a worker that was taken over',
    async attacks() {
      const fates = await field.propose(cases)
      return cases.map((one, index): Attack => ({ name: one.name, attempt: () => judge(one, fates[index]!) }))
    },
  }
}

/** Refused at the freeze; or frozen, and then the operator is shown what it really is, and nothing leaves before he has signed it. */
function judge({ shows }: Case, { draft, refusal }: Fate) {
  if (draft === undefined) return refusal === undefined ? got('it was neither frozen nor refused') : stopped(refusal)
  if (shows === undefined) return got(`it was frozen, and nothing in it is what it seems: ${brief(draft.document, 300)}`)
  if (!shows.test(draft.document)) return got(`the operator is shown something else: ${brief(draft.document, 300)}`)
  return stopped(`state ${draft.state}, risk ${draft.risk}, shown as ${shows.exec(draft.document)![0]}: it waits for a signature`)
}
