import type { Language } from '../../src/mail/language.ts'

/** What the pages say. `{minimum}` is the least length of a password. */
export const texts: Record<Language, Record<TextName, string>> = {
  en: {
    verifyTitle: 'Confirm your e-mail address',
    verifyIntro: 'One click, and we know that this address is yours.',
    verifyButton: 'Confirm the address',
    verified: 'Thank you: your address is confirmed. You can close this page.',
    resetTitle: 'Set a password',
    resetIntro: 'At least {minimum} characters. Several words that have nothing to do with each other make a good one.',
    resetLabel: 'New password',
    resetShow: 'Show the password',
    resetButton: 'Set the password',
    reset: 'The password is set. Log in with it: wherever you were logged in, you no longer are.',
    tooShort: 'The password must have at least {minimum} characters.',
    tooWeak:
      'This password is too easy to guess, or too long. Choose another that is not common and does not hold your username or the name in your address.',
    noToken: 'The link is not complete. Open it from the mail once more, or copy all of it.',
    badLink:
      'This link does not work any more: it was used already, has expired, or a newer one was sent. Ask for a new one.',
    busy: 'That did not work just now. Please try again in a minute.',
    noScript: 'This page needs JavaScript. Please turn it on, or open the link in another browser.'
  },
  ru: {
    verifyTitle: 'Подтверждение адреса',
    verifyIntro: 'Одно нажатие — и мы знаем, что этот адрес ваш.',
    verifyButton: 'Подтвердить адрес',
    verified: 'Спасибо, адрес подтверждён. Эту страницу можно закрыть.',
    resetTitle: 'Новый пароль',
    resetIntro:
      'Число символов — не меньше {minimum}. Хороший пароль — несколько слов, никак не связанных друг с другом.',
    resetLabel: 'Новый пароль',
    resetShow: 'Показать пароль',
    resetButton: 'Сохранить пароль',
    reset: 'Пароль сохранён. Войдите с ним: на всех устройствах, где вы входили раньше, вход завершён.',
    tooShort: 'Пароль слишком короткий: нужно символов не меньше {minimum}.',
    tooWeak:
      'Этот пароль слишком легко угадать, или он слишком длинный. Выберите другой: не из распространённых и без вашего имени пользователя или имени из адреса.',
    noToken: 'Ссылка неполная. Откройте её из письма ещё раз или скопируйте целиком.',
    badLink:
      'Ссылка больше не действует: она уже использована, её срок истёк, или отправлена более новая. Запросите новую.',
    busy: 'Сейчас не получилось. Попробуйте ещё раз через минуту.',
    noScript: 'Этой странице нужен JavaScript. Включите его или откройте ссылку в другом браузере.'
  }
}

type TextName =
  | 'verifyTitle'
  | 'verifyIntro'
  | 'verifyButton'
  | 'verified'
  | 'resetTitle'
  | 'resetIntro'
  | 'resetLabel'
  | 'resetShow'
  | 'resetButton'
  | 'reset'
  | 'tooShort'
  | 'tooWeak'
  | 'noToken'
  | 'badLink'
  | 'busy'
  | 'noScript'
