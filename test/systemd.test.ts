import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { ensureAccounts } from '../src/processes/accounts.ts'
import { processNames } from '../src/processes/boot.ts'
import { stopOrder } from '../src/processes/process-group.ts'
import { systemdInstallation } from '../src/units/index.ts'
import { describedHouse } from './support/described-house.ts'
import { noSystemdBox, systemdBox } from './support/systemd-box.ts'

/** Where no source is declared, nobody reads. */
const wanted = processNames.filter((name) => name !== 'reader')

const home = '/var/lib/castellan'
const keeperUnit = 'castellan.service'
const cli = join(import.meta.dirname, '..', 'bin', 'castellan.js')
const secret = 'sk-only-for-the-cloud-gate'

/** A house, as there is one before an installation; a key for cloud models and the sealing key, which `up` must not be able to read. */
const prepare = `
env CASTELLAN_HOME=${home} ${process.execPath} ${cli} init ${home}/house >/dev/null
printf ${secret} > ${home}/secrets/far_key
openssl genpkey -algorithm ed25519 -out ${home}/secrets/sealing_key 2>/dev/null
chmod 600 ${home}/secrets/*`

test('a whole house runs as hardened units under a real systemd', { skip: noSystemdBox(), timeout: 300_000 }, async (t) => {
  ensureAccounts()
  const house = describedHouse({ secrets: [`${home}/secrets/far_key`, `${home}/secrets/sealing_key`], file: { folders: { vault: { path: 'vault', access: 'write' } } } })
  const box = await systemdBox(t, systemdInstallation(house).files, 'castellan.target', prepare)
  const castellan = (...words: string[]) => box.run('env', `CASTELLAN_HOME=${home}`, process.execPath, cli, ...words)
  const of = async (unit: string, property: string) => (await box.run('systemctl', 'show', '--value', '-p', property, unit)).trim()
  const everybody = () => `${wanted.map((name) => box.said(`castellan-${name}.service`)).join('')}${box.said(keeperUnit)}`
  const until = async (done: () => Promise<boolean>, complaint: string) => {
    for (const deadline = performance.now() + 60_000; !(await done()); await delay(200)) {
      if (performance.now() > deadline) assert.fail(`${complaint}: ${await castellan('status')}\n${everybody()}`)
    }
  }
  const ready = async () => {
    await until(async () => {
      const { data } = JSON.parse(await castellan('status', '--json')) as { data?: { processes: { state: string }[] } }
      return data?.processes.length === wanted.length && data.processes.every(({ state }) => state === 'ready')
    }, 'not ready')
  }

  await t.test('each process is ready, as the user of its unit', async () => {
    await ready()
    for (const name of wanted) {
      const pid = await of(`castellan-${name}`, 'MainPID')
      assert.equal((await box.run('stat', '-c', '%U', `/proc/${pid}`)).trim(), `castellan-${name}`)
    }
  })

  await t.test('`service status` tells what systemd says of each unit', async () => {
    const { data } = JSON.parse(await castellan('service', 'status', '--json')) as { data: { units: { unit: string; active: string | null; restarts: number | null }[] } }
    const running = data.units.filter(({ unit }) => unit !== 'castellan-awake.service') // there is no logind in this box
    assert.deepEqual(running.map(({ active, restarts }) => [active, restarts]), running.map(({ unit }) => ['active', unit === 'castellan.target' ? null : 0]))
    assert.equal(running.length, wanted.length + 2)
  })

  await t.test('a job runs to its end behind these walls, mail parsed in the sandbox, and nothing is wrong', async () => {
    assert.match(await castellan('job', 'run', 'morning-mail', '--wait'), /succeeded/)
    const { data } = JSON.parse(await castellan('doctor', '--json')) as { data: { id: string; status: string; what: string }[] }
    assert.deepEqual(data.filter(({ status }) => status === 'fail'), [])
    assert.equal(data.find(({ id }) => id === 'sandbox')?.status, 'ok')
  })

  await t.test('a secret is where its unit put it, in no environment, and out of the reach of `up`', async () => {
    assert.equal(await box.run('cat', '/run/credentials/castellan-gate-cloud.service/far_key'), secret)
    assert.equal((await box.run('sh', '-c', `grep -lsa ${secret} /proc/[0-9]*/environ /proc/[0-9]*/cmdline | grep -v self`)).replaceAll(/.*cmdline\n/g, ''), '')
    const up = await of(keeperUnit, 'MainPID')
    assert.match(await box.run('nsenter', '-t', up, '-m', 'cat', `${home}/secrets/far_key`), /No such file|Permission denied/)
    assert.match(await box.run('ls', `${home}/releaser`), /spent-nonces/)
    assert.doesNotMatch(await box.run('ls', `${home}/releaser`), /sealing-key/)
  })

  await t.test('a process that is killed is started again, and so are all when `up` is', async () => {
    for (const unit of ['castellan-releaser.service', keeperUnit]) {
      const before = await of(unit, 'MainPID')
      await box.run('kill', '-KILL', before)
      await until(async () => !['0', before].includes(await of(unit, 'MainPID')), `${unit} does not come back`)
      await ready()
    }
  })

  await t.test('a stop ends them in the order that loses nothing, `up` at the end, and all of them well', async () => {
    await box.run('systemctl', 'stop', 'castellan.target')
    await until(async () => (await of(keeperUnit, 'ActiveState')) === 'inactive', 'up does not stop')
    const ended = async (unit: string) => Number(await of(unit, 'InactiveEnterTimestampMonotonic'))
    const order = await Promise.all(stopOrder.map((group) => Promise.all(group.map((name) => ended(`castellan-${name}`)))))
    const all = [...order, [await ended(keeperUnit)]]
    for (const [index, group] of all.slice(1).entries()) assert.ok(Math.min(...group) >= Math.max(...all[index]!), JSON.stringify(all))
    for (const name of wanted) assert.equal(await of(`castellan-${name}`, 'Result'), 'success', name)
  })
})
