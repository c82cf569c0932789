import t from 'tap'
t.test('x', async (t) => { t.equal(1 as number, 1) })
