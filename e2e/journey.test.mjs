/**
 * A learner's first evening, through `@apollo/client`: sign up, log in, make a deck, see it in one round trip, learn, generate cards,
 * log out. Each step asserts the values that a user would see.
 */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';

import { CombinedGraphQLErrors, gql } from '@apollo/client';

import { AppClient } from './client.mjs';
import { useServer } from './harness.mjs';
import { examples } from './operations.mjs';

// What these tests expect of the server beyond what the operations say themselves.
const EXPECTED = {
  colors: ['#FFEC87', '#BEBDFF', '#FFAB87', '#87FFE9', '#FF87DD', '#FF878E', '#CFFFAA', '#87DBFF'],
  accessTokenMinutes: 15,
  reviewStatus: { recorded: 'ACCEPTED', repeated: 'DUPLICATE', refused: 'UNKNOWN_CARD' },
  revokedToken: { code: 'UNAUTHENTICATED' },
};

const ACCOUNT = { email: 'Ada@Example.com', password: 'difference engine no. 2', name: 'Ada' };
const CARDS = [
  ['What is the capital of France?', 'Paris'],
  ['What is the capital of Japan?', 'Tokyo (東京)'],
  ['What is the capital of Peru?', 'Lima'],
  ['What is the capital of Kenya?', 'Nairobi'],
  ['What is the capital of Fiji?', 'Suva 🏝'],
].map(([question, answer]) => ({ question, answer }));
const TEXT =
  'Photosynthesis is the process by which plants turn light into chemical energy. ' +
  'Chlorophyll is the green pigment that absorbs the light. ' +
  'The Calvin cycle builds sugar from carbon dioxide.';

const CREATE_CARDS = gql`
  mutation CreateCards($input: CreateCardsInput!) {
    createCards(input: $input) {
      cards {
        id
        question
        answer
        state
        due
        retrievability
        recallScore
      }
    }
  }
`;
const SUBMIT_REVIEWS = gql`
  mutation SubmitReviews($input: SubmitReviewsInput!) {
    submitReviews(input: $input) {
      results {
        id
        status
        reason
      }
    }
  }
`;
const UPDATE_PROFILE = gql`
  mutation UpdateProfile($input: UpdateProfileInput!) {
    updateProfile(input: $input) {
      user {
        id
        timeZone
      }
    }
  }
`;
const LOG_OUT = gql`
  mutation LogOut {
    logOut {
      __typename
    }
  }
`;

describe('a first evening', () => {
  const server = useServer();
  let app;
  let deckId;
  let cardIds;

  before(() => {
    app = new AppClient(server.origin);
  });

  /** Reads the home screen and checks that it took one request. */
  async function openHome() {
    const before = app.requests;
    const data = await app.query(examples.HomeInOneRoundTrip);
    assert.equal(app.requests, before + 1);
    return data;
  }

  test('a visitor sees the public configuration and no viewer', async () => {
    const { viewer, config } = await openHome();
    assert.equal(viewer, null);
    assert.deepEqual(config.frontend.colors, EXPECTED.colors);
  });

  test('signs up', async () => {
    const { signUp } = await app.mutate(examples.SignUp, ACCOUNT);
    assert.equal(signUp.email, ACCOUNT.email.toLowerCase());
  });

  test('logs in', async () => {
    const { email, password } = ACCOUNT;
    const { logIn } = await app.mutate(examples.LogIn, { email, password });
    assert.equal(logIn.user.email, email.toLowerCase());
    assert.deepEqual(logIn.user.roles, ['USER']);
    const minutes = (Date.parse(logIn.accessTokenExpiresAt) - Date.now()) / 60_000;
    assert.ok(Math.abs(minutes - EXPECTED.accessTokenMinutes) < 1, `the access token lives ${minutes} minutes`);
    app.accessToken = logIn.accessToken;
  });

  test('is at home where it is noon, so that no day ends while the test runs', async () => {
    const { updateProfile } = await app.mutate(UPDATE_PROFILE, { input: { timeZone: zoneWhereItIsNoon() } });
    assert.equal(updateProfile.user.timeZone, zoneWhereItIsNoon());
  });

  test('makes a deck', async () => {
    const { createDeck } = await app.mutate(examples.CreateDeck, { name: 'Capitals' });
    const { id, name, description, color } = createDeck.deck;
    assert.deepEqual({ name, description, color }, { name: 'Capitals', description: 'Made in GraphiQL', color: '#BEBDFF' });
    assert.ok(id);
    deckId = id;
  });

  test('puts five cards into it at once', async () => {
    const { createCards } = await app.mutate(CREATE_CARDS, { input: { deckId, cards: CARDS } });
    const { cards } = createCards;
    assert.deepEqual(cards.map(({ question, answer }) => ({ question, answer })), CARDS);
    for (const card of cards) {
      assert.equal(card.state, 'NEW');
      assert.equal(card.due, null);
      assert.equal(card.retrievability, null);
      assert.equal(card.recallScore, 0);
    }
    cardIds = cards.map((card) => card.id);
    assert.equal(new Set(cardIds).size, CARDS.length);
  });

  test('sees the deck, its cards and what to study in one round trip', async () => {
    const { viewer, config } = await openHome();
    assert.equal(viewer.name, ACCOUNT.name);
    assert.deepEqual(config.frontend.colors, EXPECTED.colors);

    assert.equal(viewer.decks.totalCount, 1);
    const [deck] = viewer.decks.nodes;
    assert.equal(deck.id, deckId);
    assert.equal(deck.name, 'Capitals');
    assertCounts(deck, { new: 5, learning: 0, review: 0 });
    assert.equal(deck.recallScore, 0);
    assert.equal(deck.retrievability, null);
    assert.deepEqual(deck.cards.nodes.map((card) => card.id), cardIds);
    assert.deepEqual(deck.cards.nodes.map(({ question, answer }) => ({ question, answer })), CARDS);

    assert.deepEqual(viewer.studyQueue.map((item) => item.card.id).sort(), [...cardIds].sort());
    for (const { previews } of viewer.studyQueue) assertNewCardPreviews(previews);
  });

  test('reviews three cards, and one that does not exist', async () => {
    const reviews = [
      [cardIds[0], 'GOOD'],
      [cardIds[1], 'EASY'],
      [cardIds[2], 'AGAIN'],
      [crypto.randomUUID(), 'GOOD'],
    ].map(([cardId, rating]) => ({
      id: crypto.randomUUID(),
      cardId,
      rating,
      reviewedAt: new Date().toISOString(),
      durationMs: 4200,
    }));
    const { recorded, repeated, refused } = EXPECTED.reviewStatus;

    const first = (await app.mutate(SUBMIT_REVIEWS, { input: { reviews } })).submitReviews.results;
    assert.deepEqual(first.map((result) => result.id), reviews.map((review) => review.id));
    assert.deepEqual(first.map((result) => result.status), [recorded, recorded, recorded, refused]);
    assert.match(first[3].reason, /card/i);

    // A phone that did not hear the answer sends the batch again.
    const again = (await app.mutate(SUBMIT_REVIEWS, { input: { reviews } })).submitReviews.results;
    assert.deepEqual(again.map((result) => result.status), [repeated, repeated, repeated, refused]);
  });

  test('sees the queue, the counts and the scores change', async () => {
    const { viewer } = await openHome();
    const [deck] = viewer.decks.nodes;
    // AGAIN starts the learning steps, GOOD goes to the second of them, EASY leaves them at once and comes back in days.
    assertCounts(deck, { new: 2, learning: 2, review: 0 });
    assert.deepEqual(
      deck.cards.nodes.map((card) => card.state),
      ['LEARNING', 'REVIEW', 'LEARNING', 'NEW', 'NEW'],
    );
    // Two of five cards were answered right just now.
    assert.equal(deck.recallScore, 0.4);
    assert.ok(deck.retrievability > 0.9 && deck.retrievability <= 1, `retrievability is ${deck.retrievability}`);

    const [good, easy, again] = deck.cards.nodes;
    const minutesUntil = (card) => (Date.parse(card.due) - Date.now()) / 60_000;
    assert.ok(minutesUntil(again) > 0 && minutesUntil(again) <= 1);
    assert.ok(minutesUntil(good) > 9 && minutesUntil(good) <= 10);
    assert.ok(minutesUntil(easy) > 24 * 60);

    const queued = viewer.studyQueue.map((item) => item.card.id);
    assert.ok(queued.includes(cardIds[3]) && queued.includes(cardIds[4]), 'the new cards are still to study');
    assert.ok(!queued.includes(cardIds[1]), 'the card answered EASY is done');
  });

  test('may not generate cards before the address is verified and the role BETA is given', async () => {
    await assert.rejects(app.mutate(examples.GenerateCards, { deckId, text: TEXT }), (error) => {
      assert.ok(CombinedGraphQLErrors.is(error), String(error));
      assert.equal(error.errors[0].extensions.code, 'FORBIDDEN');
      assert.deepEqual(error.errors[0].path, ['generateCards']);
      return true;
    });
    await server.promote(ACCOUNT);
    const { email, password } = ACCOUNT;
    app.accessToken = undefined;
    app.accessToken = (await app.mutate(examples.LogIn, { email, password })).logIn.accessToken;
  });

  test('gets drafts of cards from a text, which are no cards yet', async () => {
    const { generateCards } = await app.mutate(examples.GenerateCards, { deckId, text: TEXT });
    const last = await app.last(examples.GenerationProgress, { jobId: generateCards.job.id });
    const { state, generator, drafts } = last.generationProgress;
    assert.equal(state, 'READY');
    assert.ok(generator.name);
    assert.ok(drafts.length >= 1 && drafts.length <= 5, `${drafts.length} drafts`);
    for (const draft of drafts) {
      assert.ok(draft.question.trim() && draft.answer.trim());
      const about = `${draft.question} ${draft.answer}`.toLowerCase();
      assert.match(about, /photosynthesis|chlorophyll|calvin/);
    }
    const { viewer } = await openHome();
    assertCounts(viewer.decks.nodes[0], { new: 2, learning: 2, review: 0 });
  });

  test('logs out, and the token is worth nothing any more', async () => {
    await app.mutate(LOG_OUT);
    await assert.rejects(openHome(), (error) => {
      assert.ok(CombinedGraphQLErrors.is(error), String(error));
      assert.equal(error.errors[0].extensions.code, EXPECTED.revokedToken.code);
      return true;
    });
  });

  test('finds everything again after the next login', async () => {
    const { email, password } = ACCOUNT;
    app.accessToken = undefined;
    app.accessToken = (await app.mutate(examples.LogIn, { email, password })).logIn.accessToken;
    const { viewer } = await openHome();
    assert.deepEqual(viewer.decks.nodes[0].cards.nodes.map((card) => card.id), cardIds);
    assertCounts(viewer.decks.nodes[0], { new: 2, learning: 2, review: 0 });
  });
});

/** The sign of these names is reversed: `Etc/GMT-3` is three hours ahead. */
function zoneWhereItIsNoon() {
  const ahead = 12 - new Date().getUTCHours();
  return `Etc/GMT${ahead > 0 ? '-' : '+'}${Math.abs(ahead)}`;
}

function assertCounts(deck, expected) {
  const { new: fresh, learning, review } = deck.counts;
  assert.deepEqual({ new: fresh, learning, review }, expected);
}

/** Learning steps of 1 and 10 minutes; EASY graduates with FSRS-6's first interval, which is days. */
function assertNewCardPreviews(previews) {
  assert.deepEqual(previews.map((preview) => preview.rating), ['AGAIN', 'HARD', 'GOOD', 'EASY']);
  const [again, hard, good, easy] = previews.map((preview) => preview.interval);
  assert.equal(again, 60);
  assert.ok(again < hard && hard < good);
  assert.equal(good, 600);
  assert.ok(easy >= 86_400);
  for (const { interval, due } of previews) {
    // What comes back after whole days comes at the start of its day.
    const early = Date.now() + interval * 1000 - Date.parse(due);
    assert.ok(early > -10_000 && early < (interval < 86_400 ? 10_000 : 86_400_000), `due ${due} is not ${interval} s from now`);
  }
}
