import t from 'tap'
import { toNetwork } from '../../src/throttling/network.ts'

await t.test('one network in whatever spelling is one (CVE-2026-45364)', async (t) => {
  const same: [network: string, ...spellings: string[]][] = [
    ['203.0.113.7', '203.0.113.7', '::ffff:203.0.113.7', '::FFFF:cb00:7107', '0:0:0:0:0:ffff:203.0.113.7'],
    [
      '2001:db8:0:1::/64',
      '2001:db8:0:1::1',
      '2001:DB8::1:0:0:0:1',
      '2001:0db8:0000:0001:0000:0000:0000:0001',
      '2001:db8:0:1:ffff:ffff:ffff:ffff',
      '2001:db8:0:1::203.0.113.7'
    ],
    ['fe80:0:0:0::/64', 'fe80::1', 'fe80::1%eth0', 'FE80::abcd'],
    ['0:0:0:0::/64', '::1', '::', '0:0:0:0:0:0:0:1']
  ]
  for (const [network, ...spellings] of same) {
    for (const spelling of spellings) t.equal(toNetwork(spelling), network, spelling)
  }
})

await t.test('neighbours are others', async (t) => {
  const networks = ['203.0.113.7', '203.0.113.8', '2001:db8:0:1::1', '2001:db8:0:2::1', '2001:db8:1:1::1', '::1']
  t.equal(new Set(networks.map(toNetwork)).size, networks.length)
})

await t.test('a port that a proxy adds does not count, and what is no address stands for itself', async (t) => {
  t.equal(toNetwork('203.0.113.7:50123'), '203.0.113.7')
  t.equal(toNetwork('[2001:db8::1]:443'), '2001:db8:0:0::/64')
  t.equal(toNetwork('[2001:db8::1]'), '2001:db8:0:0::/64')
  t.equal(toNetwork('unknown'), 'unknown')
  t.equal(toNetwork('[]'), '[]')
  t.equal(toNetwork('x'.repeat(1000)).length, 64)
})
