import { nothingReceived, quote, type Received, ReceivedBuilder } from './received.js';

/** Parses `a=1&b=2`, from an address or a body. */
export function parseForm(text: string): Received {
  const received = new ReceivedBuilder();
  for (const pair of text.split('&')) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const [name, value] = equals < 0 ? [pair, ''] : [pair.slice(0, equals), pair.slice(equals + 1)];
    const [decodedName, decodedValue] = [decode(name), decode(value)];
    if (decodedName === undefined) received.fault(`the parameter name ${quote(name)} has broken percent-encoding`);
    else if (decodedValue !== undefined) received.add(decodedName, decodedValue);
    else received.fault(`${quote(decodedName)}: ${quote(value)} has broken percent-encoding`);
  }
  return received.build();
}

/** The parameters of an address. */
export function parseQuery(url: string): Received {
  const start = url.indexOf('?');
  return start < 0 ? nothingReceived : parseForm(url.slice(start + 1));
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined; // a lone "%", or bytes that are no UTF-8
  }
}
