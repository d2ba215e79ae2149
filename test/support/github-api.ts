import type { TestContext } from 'node:test'
import { startHttpReceiver } from './http-receiver.ts'

export const githubToken = 'token-of-the-forge'

/** The part of GitHub's API that pull requests need, for the repository house/site, on loopback. */
export async function startGithubApi(t: Pick<TestContext, 'after'>) {
  const heads = new Map([['agent/typo', 'a'.repeat(40)]])
  const files = [{ filename: 'README.md', status: 'modified', additions: 2, deletions: 1 }, { filename: 'new.md', previous_filename: 'old.md', status: 'renamed', additions: 0, deletions: 0 }]
  const pulls: { number: number; title: string; body: string; created_at: string; state: string; head: { ref: string; sha: string }; base: string }[] = []
  const server = await startHttpReceiver(t, {
    answer({ method, path, headers, body }) {
      const say = (status: number, value: unknown) => ({ status, body: JSON.stringify(value) })
      const url = new URL(path, 'http://localhost')
      if (headers.authorization !== `Bearer ${githubToken}`) return say(401, { message: 'Bad credentials' })
      if (!url.pathname.startsWith('/repos/house/site')) return say(404, { message: 'Not Found' })
      const rest = url.pathname.slice('/repos/house/site'.length)
      if (method === 'GET' && rest === '') return say(200, { full_name: 'house/site' })
      if (method === 'GET' && rest === '/branches') {
        const [size, page] = [Number(url.searchParams.get('per_page') ?? 30), Number(url.searchParams.get('page') ?? 1)]
        const branches = [['main', 'c'.repeat(40)] as const, ...heads].map(([name, sha]) => ({ name, commit: { sha }, protected: name === 'main' }))
        return say(200, branches.slice((page - 1) * size, page * size))
      }
      if (method === 'GET' && rest.startsWith('/git/ref/heads/')) {
        const sha = heads.get(rest.slice('/git/ref/heads/'.length))
        return sha === undefined ? say(404, { message: 'Not Found' }) : say(200, { object: { sha } })
      }
      if (method === 'GET' && rest.startsWith('/compare/')) return say(200, { files })
      if (method === 'GET' && rest === '/pulls') return say(200, pulls.filter((one) => `house:${one.head.ref}` === url.searchParams.get('head') && one.base === url.searchParams.get('base')))
      if (method === 'POST' && rest === '/pulls') {
        const asked = JSON.parse(body.toString()) as { title: string; body: string; head: string; base: string }
        if (pulls.some((one) => one.head.ref === asked.head && one.state === 'open')) return say(422, { message: 'Validation Failed', errors: [{ message: `A pull request already exists for house:${asked.head}.` }] })
        const pull = { number: pulls.length + 7, title: asked.title, body: asked.body, created_at: '2026-03-02T09:10:00Z', state: 'open', head: { ref: asked.head, sha: heads.get(asked.head)! }, base: asked.base }
        pulls.push(pull)
        return say(201, pull)
      }
      return say(404, { message: 'Not Found' })
    },
  })
  return { server, heads, files, pulls }
}
