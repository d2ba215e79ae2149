import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pinAddress, placeOf } from './address.ts'

test('this machine and private networks are known in every spelling that leads to them', () => {
  const spellings = (ipv4: string) => [ipv4, `::ffff:${ipv4}`, `::${ipv4}`, `::ffff:0:${ipv4}`, `64:ff9b::${ipv4}`]
  for (const ipv4 of ['127.0.0.1', '10.0.0.7', '192.168.1.1', '100.64.0.9']) for (const address of spellings(ipv4)) assert.notEqual(placeOf(address), 'internet', address)
  for (const address of ['::1', 'fd00::1', '2002:7f00:1::', '2001:0:1::', 'fec0::1']) assert.equal(placeOf(address), 'private', address)
  for (const address of ['::', '0.0.0.0', '169.254.169.254', '::ffff:169.254.169.254', 'fe80::1', 'fe80::1%eth0', 'fd00:ec2::254', 'ff02::1', '224.0.0.1', '255.255.255.255']) assert.equal(placeOf(address), 'closed', address)
  for (const address of ['1.1.1.1', '::ffff:1.1.1.1', '2606:4700:4700::1111']) assert.equal(placeOf(address), 'internet', address)
})

test('a name with one private address among public ones is refused as a whole, and one without any is asked again later', async () => {
  const pin = (...found: string[]) => pinAddress('api.example.org', { isPrivate: false, lookup: async () => found })
  await assert.rejects(pin('1.1.1.1', '10.0.0.7'), { code: 'http.refused' })
  await assert.rejects(pin(), { code: 'http.try_again' })
  assert.equal(await pin('1.1.1.1', '2606:4700:4700::1111'), '1.1.1.1')
})
