import assert from 'node:assert/strict'
import { test } from 'node:test'
import { jobText, problemsOf } from '../../../test/support/house-folder.ts'

const twoSteps = (first: string, second: string) => `  - { id: one, uses: mail.list, ${first} }\n  - { id: two, uses: text.template, ${second} }`

/** § stands before what is to be blamed. */
const wrong: Record<string, { job: string; what: RegExp }> = {
  'a tool that does not exist': { job: jobText('', '  - { id: mail, uses: §mail.send }'), what: /no tool mail\.send → did you mean mail\.(list|read)\?/ },
  'a tool of another world': { job: jobText('', '  - { id: mail, uses: §quantum }'), what: /no tool quantum → there are mail\.list, mail\.read/ },
  'a step that reads itself': { job: jobText('', twoSteps('with: { since: §"{{ steps.one.output.date }}" }', 'with: {}')), what: /the step one reads itself → it is the first step/ },
  'a step that reads a later one': { job: jobText('', twoSteps('if: §"{{ steps.two.output.count > 0 }}"', 'with: {}')), what: /the step two comes later and has no output yet → move two before one/ },
  'a step that is not there': { job: jobText('', twoSteps('with: {}', 'with: { data: { deep: [ §"{{ steps.onne.output }}" ] } }')), what: /no step onne → did you mean one\?/ },
  'a step whose output was forgotten': { job: jobText('', twoSteps('with: {}', 'if: §"{{ steps.one.count }}"')), what: /a step has no count.*→ did you mean steps\.one\.output\.count\?/ },
  'a step that is computed': { job: jobText('', twoSteps('with: {}', 'if: §"{{ steps[input.name].output }}"')), what: /a step has to be named, not computed/ },
  'a root that is a typo': { job: jobText('', twoSteps('with: { since: §"{{ slott }}" }', 'with: {}')), what: /no slott in an expression → did you mean slot\?/ },
  'a root of the environment': { job: jobText('', twoSteps('with: { since: §"{{ env.HOME }}" }', 'with: {}')), what: /no env in an expression → it can name steps, input/ },
  'a word without quotes': { job: jobText('', twoSteps('if: §"{{ input.mode == fast }}"', 'with: {}')), what: /no fast in an expression → .*a text needs quotes/ },
  'a property that the run does not have': { job: jobText('', twoSteps('with: { since: §"{{ run.fence }}" }', 'with: {}')), what: /there is no run\.fence/ },
  'a prompt that is not there': { job: jobText('', twoSteps('with: {}', 'with: { template: §"{{ prompts.brief }}" }')), what: /no prompt brief: prompts\/brief\.liquid is missing/ },
  'an expression that cannot be read': { job: jobText('', twoSteps('with: { since: §"{{ slot | nonsense }}" }', 'with: {}')), what: /cannot be read: undefined filter: nonsense/ },
  'a condition without an expression': { job: jobText('', twoSteps('if: §steps.one.output.count', 'with: {}')), what: /this is a text and always holds → write if: "\{\{ steps\.one/ },
  'an idempotency key that reads a step': { job: jobText('idempotency_key: §"{{ steps.mail.output.id }}"\n'), what: /steps is not known yet here → use slot or input or job/ },
  'the 31st of February': { job: jobText('on: { schedule: [ { cron: §"0 9 31 2 *" } ] }\n'), what: /"0 9 31 2 \*" never fires: no date matches it → choose a day/ },
  'a schedule that is none': { job: jobText('on: { schedule: [ { cron: §"every day" } ] }\n'), what: /"every day" is not a schedule: .* → write minute, hour/ },
  'an hour that does not exist': { job: jobText('on: { schedule: [ { cron: §"0 25 * * *" } ] }\n'), what: /"0 25 \* \* \*" is not a schedule/ },
  'a zone that does not exist': { job: jobText('on: { schedule: [ { cron: "0 9 * * *", timezone: §Europe/Berlim } ] }\n'), what: /no such time zone → write an IANA name/ },
  'an offset instead of a zone': { job: jobText('on: { schedule: [ { cron: "0 9 * * *", timezone: §"+02:00" } ] }\n'), what: /no such time zone/ },
  'a lane that is not declared': { job: jobText('lane: §secret\n'), what: /the lane secret is not declared/ },
  'a label above what the open worker may execute': { job: jobText('lane: open\nlabel: §P3\n'), what: /start with P3 local only, and the open worker of the lane open may execute only up to P1 low/ },
  'a level that does not exist': { job: jobText('label: §P4\n'), what: /label cannot be "P4" → / },
  'a fallback that the tool does not have': { job: jobText('', '  - { id: mail, uses: mail.list, fallback: §extractive }'), what: /mail\.list has no fallback extractive → remove the line; those that have it: model\.ask/ },
  'a step that may outlast its run': { job: jobText('timeout: 1m\n', '  - { id: mail, uses: mail.list, timeout: §5m }'), what: /one try of mail may take longer than the whole run/ },
  'a duration without a unit': { job: jobText('timeout: §10\n'), what: /timeout is the number 10 and should be a text/ },
  'a policy that does not exist': { job: jobText('overlap: §sikp\n'), what: /overlap cannot be "sikp" → did you mean skip\?/ },
  'a key of a step that is a typo': { job: jobText('', '  - { id: mail, §use: mail.list }'), what: /no key use in steps\.0 → did you mean uses\?/ },
  'a date that is none': { job: jobText('since: §yesterday\n'), what: /since/ },
  'an id that an expression could not name': { job: jobText('', '  - { id: §My-Mail, uses: mail.list }'), what: /the id of a step has small letters/ },
}

for (const [name, { job, what }] of Object.entries(wrong)) {
  test(`${name} is a problem with its place and a way out`, async (t) => {
    const problems = await problemsOf(t, { 'jobs/x.yaml': job.replace('§', '') })
    const found = problems.find((problem) => what.test(problem))
    assert.ok(found, problems.join('\n') || 'no problem was found')
    const before = job.slice(0, job.indexOf('§')).split('\n')
    assert.equal(found.split(' ')[0], `jobs/x.yaml:${before.length}:${before.at(-1)!.length + 1}`)
    assert.ok(found.split(' → ')[1]!.length > 0, 'it says what would be right')
  })
}

test('a step in a text of many lines is blamed in its line', async (t) => {
  const [problem] = await problemsOf(t, { 'jobs/x.yaml': jobText('', '  - id: one\n    uses: text.template\n    with:\n      template: |\n        fine\n        {{ broken | }} {{ nope | nope }}\n') })
  assert.match(problem!, /^jobs\/x\.yaml:7:/)
})
