//! How the fields of card generation are called: a part of the table of `ownership.rs`.

use crate::Rule::{self, Mixed, Own, Owner};

/// Every field, some in several ways.
pub(crate) const TABLE: &[(&str, Rule)] = &[
    (
        "Query.generationJob",
        Owner(
            "{ generationJob(id: \"{job}\") { id text state deck { name } drafts { id question card { question } } } }",
        ),
    ),
    (
        "Query.generationJobs",
        Own("{ generationJobs { nodes { id text drafts { id question } } edges { cursor } } }"),
    ),
    (
        "Mutation.generateCards",
        Owner(
            "mutation { generateCards(input: { deckId: \"{deck}\", source: { text: \"A fact is a fact.\" } }) { job { state } } }",
        ),
    ),
    (
        "Mutation.generateCards",
        Mixed(
            "mutation { generateCards(input: { deckId: \"{my_deck}\", source: { contentId: \"{content}\" } }) { job { state } } }",
        ),
    ),
    ("Query.generationAllowance", Own("{ generationAllowance { points maximum } }")),
    ("Query.content", Owner("{ content(id: \"{content}\") { id status source title text } }")),
    ("Query.contents", Own("{ contents { nodes { id source title text } edges { cursor } } }")),
    (
        "Mutation.addContent",
        Own(
            "mutation { addContent(input: { source: { url: \"http://93.184.216.34/another\" } }) { content { source } } }",
        ),
    ),
    (
        "Mutation.setContentRead",
        Owner(
            "mutation { setContentRead(input: { contentId: \"{content}\", read: true }) { content { id read } } }",
        ),
    ),
    (
        "Mutation.annotateContent",
        Owner(
            "mutation { annotateContent(input: { contentId: \"{content}\", annotations: [] }) { content { id annotations { text } } } }",
        ),
    ),
    (
        "Mutation.deleteContent",
        Owner("mutation { deleteContent(input: { contentId: \"{content}\" }) { deletedId } }"),
    ),
    (
        "Subscription.contentProgress",
        Rule::Open("no request with one answer: subgraphs/generation asks it as others"),
    ),
    (
        "Mutation.cancelGeneration",
        Owner(
            "mutation { cancelGeneration(input: { jobId: \"{waiting_job}\" }) { job { id state } } }",
        ),
    ),
    (
        "Mutation.deleteGenerationJob",
        Owner("mutation { deleteGenerationJob(input: { jobId: \"{job}\" }) { deletedId } }"),
    ),
    (
        "Mutation.editDraft",
        Owner(
            "mutation { editDraft(input: { jobId: \"{job}\", draftId: \"{draft}\", question: \"changed\" }) { draft { question } job { id } } }",
        ),
    ),
    (
        "Mutation.editDraft",
        Mixed(
            "mutation { editDraft(input: { jobId: \"{my_job}\", draftId: \"{draft}\", question: \"changed\" }) { draft { question } } }",
        ),
    ),
    (
        "Mutation.acceptDrafts",
        Owner("mutation { acceptDrafts(input: { jobId: \"{job}\" }) { drafts { id state } } }"),
    ),
    (
        "Mutation.acceptDrafts",
        Mixed(
            "mutation { acceptDrafts(input: { jobId: \"{my_job}\", deckId: \"{deck}\" }) { drafts { id } } }",
        ),
    ),
    (
        "Mutation.acceptDrafts",
        Mixed(
            "mutation { acceptDrafts(input: { jobId: \"{my_job}\", draftIds: [\"{draft}\"] }) { drafts { id } } }",
        ),
    ),
    (
        "Mutation.rejectDrafts",
        Owner(
            "mutation { rejectDrafts(input: { jobId: \"{job}\", draftIds: [\"{draft}\"] }) { drafts { id state } } }",
        ),
    ),
    (
        "Subscription.generationProgress",
        Rule::Open("no request with one answer: subgraphs/generation asks it as others"),
    ),
];
