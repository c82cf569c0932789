/** Paths that a proxy and an application could read differently: refused, whatever the method and the caller. */
export const ambiguousPaths = [
  // Dot segments and empty ones, plain and encoded.
  '/write/../public/x',
  '/write/..',
  '/write/.?a=b',
  '/./write/x',
  '/public/./../write/x',
  '/write/%2e%2e/public/x',
  '/write/.%2E/public/x',
  '/public/%2e/x',
  '//write/',
  '/public//x',
  '/public/..%2fwrite/x',
  '/public/%2e%2e%2Fwrite',
  // Backslashes, parameters, fragments.
  '/public/..%5cwrite',
  '/public/..%5Cwrite',
  '/public\\..\\write',
  '/public/x\\y',
  '/write;a=b/x',
  '/write%3ba=b/x',
  '/public/x%3B/y',
  '/public/..;/write/x',
  '/public/x#/../write',
  '/public/#y',
  // NUL and other control characters.
  '/write/x%00',
  '/write%00/x',
  '/write%0a',
  '/write%0D%0Ax',
  '/write%7f/x',
  '/public/x%0a',
  '/public/x%1F/y',
  '/public/%7f',
  // What is encoded twice.
  '/public/%252e%252e/write',
  '/public/..%252fwrite',
  '/%2577rite/x',
  // What lenient decoders take for a dot or a slash, and what is no encoding.
  '/public/%c0%ae%c0%ae/write',
  '/public/..%c0%af..%C1%9Cwrite',
  '/public/%e0%80%ae%e0%80%ae/write',
  '/public/%f0%80%80%ae/x',
  '/public/%u002e/x',
  '/public/%',
  '/public/é',
  // What some proxies take for a variable of their own, and put nothing in its place.
  '/write/x{//}',
  '/write{x/../x}/../public/x',
  // Another form than a path.
  'http://x/write/x',
  'http://x/public/x',
  'http://other/public/x',
  'http://x/write/../public/x',
  'x'
]

/** Paths that only look odd. */
export const cleanPaths = [
  '/',
  '/articles/a%20b',
  '/articles/..hidden/.well',
  '/a.b/c..d/e.',
  '/a...b',
  '/100%25',
  '/100%25-sure',
  '/a{http.request.uri}b{x}',
  '/what%3F',
  '/a%23b',
  '/%C3%A9/%D0%BF%D1%80/%E2%82%AC',
  "/a+b,c=d&e@f:g!h$i'(j)*~_-",
  '/x?next=../write//;a&b=%2e%2e%2f%5c%00&c=%252e',
  '/x?http://other/../x',
  '/writer',
  '/write-protected',
  '/written/x'
]

/** What an application may take for `/write`. */
export const authorPaths = [
  '/write',
  '/write/',
  '/write?x',
  '/write/x',
  '/Write/new',
  '/WRITE',
  '/%77rite/',
  '/%57rite/x',
  '/write./x',
  '/write%20/x',
  '/write::$DATA',
  '/write~1/x',
  '/write%3Fx',
  '/write%25'
]

/** Whether the most lenient application might take a path for `/write`, or for another than the proxy does. */
export function isForAuthorsOrAmbiguous(path: string): boolean {
  const decode = (text: string): string => {
    const once = text.replaceAll(/%([0-9a-f]{2})/gi, (_, digits: string) => String.fromCharCode(parseInt(digits, 16)))
    return once === text ? text : decode(once)
  }
  const decoded = decode(path.split('?')[0] ?? '')
  return /^\/write|\/\.|\/\/|[;\\]/i.test(decoded) || /\p{Cc}/u.test(decoded)
}
