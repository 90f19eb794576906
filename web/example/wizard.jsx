import { useState } from 'react';
import { useAgent, useApi, useBrandAssets, useCredits, useEstimate, useGenerate, usePictures, useSocket } from 'bmn-web';

/** The wizard's steps in words before the logos; each goes on with the session of the one before. */
const STEPS = [
  ['social-analysis', 'Who are we talking to?'],
  ['brand-identity', 'What do we stand for?'],
  ['customization', 'Which words and colours?'],
];
const COUNT = 4;

/** From a name to a brand: a conversation, four logos, a pick, and that one on a mug. */
export function Wizard() {
  const api = useApi();
  const credits = useCredits();
  const { connected, error } = useSocket('/wizard');
  const [name, setName] = useState('');
  const [brandId, setBrandId] = useState(null);
  const [problem, setProblem] = useState(null);

  async function begin(event) {
    event.preventDefault();
    setProblem(null);
    try {
      setBrandId((await api('/brands', { method: 'POST', body: { name } })).id);
    } catch (refusal) {
      setProblem(refusal.message);
    }
  }

  const wrong = problem ?? (connected ? null : error?.message);
  return (
    <main>
      <header>
        <h1>{brandId ? name : 'Your brand'}</h1>
        <span className="link">{connected ? `live · ${credits.remaining ?? '…'} credits` : 'reconnecting…'}</span>
      </header>
      {wrong && <p className="words alarm" role="alert">{wrong}</p>}
      {brandId ? (
        <>
          <Conversation brandId={brandId} />
          <Logos brandId={brandId} />
          <Products brandId={brandId} />
        </>
      ) : (
        <form onSubmit={begin}>
          <input aria-label="Brand name" value={name} onChange={(event) => setName(event.target.value)} required />
          <button>Begin</button>
        </form>
      )}
    </main>
  );
}

function Conversation({ brandId }) {
  const { messages, ask, busy, status, message, problem, error, proposal, changeLook } = useAgent(brandId);
  const asked = messages.filter(({ who }) => who === 'user').length;
  const next = STEPS[asked];
  const go = () => ask(next[0], {}, next[1]).catch(() => {}); // why it was refused is in `problem`
  return (
    <section aria-label="Conversation">
      <ol className="talk">
        {messages.map(({ who, text, at }) => (
          <li key={`${at} ${text}`} className={who}>{text}</li>
        ))}
      </ol>
      <p className="words" role="status">{problem?.message ?? error ?? (busy ? message || status : '')}</p>
      {proposal && (
        <p className="words">
          It suggests {proposal}. <button className="light" onClick={changeLook}>Change to it</button>
        </p>
      )}
      {next && <button disabled={busy} onClick={go}>{next[1]} · 1 credit</button>}
    </section>
  );
}

function Logos({ brandId }) {
  const logos = useGenerate('logos');
  const { pictures } = usePictures(logos.jobId, logos.jobId ? COUNT : 0);
  const { estimate } = useEstimate('logos', { brandId, count: COUNT });
  const { assets, select } = useBrandAssets(brandId);
  const picked = new Set(assets.filter(({ isSelected }) => isSelected).map(({ id }) => id));
  const make = () => logos.generate({ brandId, count: COUNT }).catch(() => {});
  const again = ['failed', 'cancelled'].includes(logos.status);
  return (
    <section aria-label="Logos">
      <ul className="pictures">
        {pictures.map(({ index, asset, preview, share, status }) => (
          <li key={index}>
            {asset || preview ? (
              <button aria-pressed={picked.has(asset?.id)} disabled={!asset} onClick={() => select(asset.id)}>
                <img src={asset?.url ?? preview} alt={`Logo ${index + 1}`} />
              </button>
            ) : (
              <progress aria-label={`Logo ${index + 1}: ${status}`} max="100" value={share} />
            )}
          </li>
        ))}
      </ul>
      <p className={logos.problem || logos.error ? 'words alarm' : 'words'} role="status">
        {logos.problem?.message ?? logos.error ?? logos.message}
      </p>
      <button disabled={logos.busy} onClick={make}>
        Make four logos{estimate ? ` · ${estimate.credits} credits` : ''}
      </button>
      {logos.busy && <button className="light" onClick={logos.cancel}>Stop</button>}
      {again && <button className="light" onClick={() => logos.retry()}>Try again</button>}
    </section>
  );
}

function Products({ brandId }) {
  const api = useApi();
  const { assets } = useBrandAssets(brandId);
  const mockups = useGenerate('mockups');
  const logo = assets.find(({ type, isSelected }) => type === 'logo' && isSelected);
  const shown = assets.filter(({ type }) => type === 'mockup');
  if (!logo) return null;
  async function make() {
    const { products } = await api('/products');
    const { id: productId, name: productName, category: productCategory } = products.find(({ slug }) => slug === 'mug');
    const mug = { productId, productName, productCategory };
    await mockups.generate({ brandId, logoUrl: logo.url, products: [mug] }).catch(() => {});
  }
  return (
    <section aria-label="Products">
      <ul className="pictures">
        {shown.map(({ id, url }) => (
          <li key={id}><img src={url} alt="Mug with the picked logo" /></li>
        ))}
      </ul>
      <p className="words" role="status">{mockups.problem?.message ?? mockups.error ?? mockups.message}</p>
      <button disabled={mockups.busy} onClick={make}>Put it on a mug · 1 credit</button>
    </section>
  );
}
