/**
 * In the place of async-hook-domain, with which tap follows every promise to tell whose error it is that nobody awaited: a sixth
 * of all that the tests cost. Such an error ends the test's process instead, and so fails its file.
 */
export class Domain {
  destroyed = false

  destroy() {
    this.destroyed = true
  }
}
