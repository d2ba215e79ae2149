import assert from 'node:assert/strict'
import { test } from 'node:test'
import { renderNewsletter } from './markdown.ts'

const leave = '[Abmelden]({{ UnsubscribeURL }})'

test('Markdown becomes HTML with the two addresses in it, and stays as it is for programs without HTML', () => {
  const { html, text } = renderNewsletter(`# März\n\nHallo **alle**, [im Browser]({{MessageURL}}).\n\n${leave}\n`)
  assert.equal(html, '<h1>März</h1>\n<p>Hallo <strong>alle</strong>, <a href="{{ MessageURL }}">im Browser</a>.</p>\n<p><a href="{{ UnsubscribeURL }}">Abmelden</a></p>\n')
  assert.equal(text, `# März\n\nHallo **alle**, [im Browser]({{ MessageURL }}).\n\n${leave}\n`)
})

test('HTML is shown as it is written, and no link carries out anything', () => {
  const { html } = renderNewsletter(`<script>alert(1)</script> <img src=x onerror=y> [a](javascript:alert(1)) [b](data:text/html,x) ${leave}`)
  assert(!/<script|<img|href="(?:javascript|data)/.test(html))
})

test('what listmonk would carry out is refused, however it is written, and so is a letter that nobody can leave', () => {
  const wrong = ['{{ .Subscriber.Email }}', '{{ UnsubscribeURL | html }}', '&#123;&#123; .Campaign.UUID &#125;&#125;', '&lbrace;{ x }&rbrace;', '`{{`', '[a](https://a.example/@TrackLink)', 'https://unsubscribe.castellan.invalid/', '{{ UnsubscribeURL }}}}', '{{{ UnsubscribeURL }}', '{{  UnsubscribeURL }}']
  for (const text of wrong) assert.throws(() => renderNewsletter(`${text} ${leave}`), { code: 'newsletter.template' }, text)
  for (const text of ['Hallo', 'Abmelden: {{ UnsubscribeURL }}', '`[x]({{ UnsubscribeURL }})`', '![x]({{ UnsubscribeURL }})']) assert.throws(() => renderNewsletter(text), { code: 'newsletter.unsubscribe' }, text)
})
