/** @returns the row of a statement that always has one, such as `INSERT … RETURNING` */
export function onlyRow<T>([row]: T[]): T {
  if (row === undefined) throw new Error('The statement gave no row')
  return row
}
