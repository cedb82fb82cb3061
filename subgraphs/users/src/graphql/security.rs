//! What can be changed about an account's security: sessions, password, address, API keys, the account's end.

use std::sync::Arc;

use async_graphql::{Context, InputObject, Object, SimpleObject};
use common::graphql::sdl::{ADMIN, all_of};
use common::graphql::{DateTime, Result, caller};
use common::{ApiKeyId, SessionId, UserId};

use super::mutation::cookies;
use super::types::{ApiKey, User};
use crate::model::ApiScope;
use crate::service::Service;

#[derive(Default)]
pub(crate) struct SecurityMutation;

/// Which session.
#[derive(InputObject)]
struct EndSessionInput {
    /// Its id.
    session_id: SessionId,
}

/// Whose sessions.
#[derive(InputObject)]
struct EndSessionsOfUserInput {
    /// Whose.
    user_id: UserId,
}

/// The present password and the one to come.
#[derive(InputObject)]
struct ChangePasswordInput {
    /// The one that is good now.
    current_password: String,
    /// 8 to 128 characters, none of those passwords that everybody tries first.
    new_password: String,
}

/// The secret of a mail.
#[derive(InputObject)]
struct VerifyEmailInput {
    /// What stands behind `#token=` in the link.
    token: String,
}

/// The address to come.
#[derive(InputObject)]
struct RequestEmailChangeInput {
    /// The account's password.
    current_password: String,
    /// An e-mail address of at most 254 bytes. Upper and lower case are the same.
    new_email: String,
}

/// The secret of the mail to the new address.
#[derive(InputObject)]
struct ConfirmEmailChangeInput {
    /// What stands behind `#token=` in the link.
    token: String,
}

/// The secret of the mail to the former address, and the password to come.
#[derive(InputObject)]
struct UndoEmailChangeInput {
    /// What stands behind `#token=` in the link.
    token: String,
    /// 8 to 128 characters, none of those passwords that everybody tries first.
    new_password: String,
}

/// Who wants to set a new password.
#[derive(InputObject)]
struct RequestPasswordResetInput {
    /// The account's address.
    email: String,
}

/// The secret of a mail and the password to come.
#[derive(InputObject)]
struct ResetPasswordInput {
    /// What stands behind `#token=` in the link.
    token: String,
    /// 8 to 128 characters, none of those passwords that everybody tries first.
    new_password: String,
}

/// What an API key is to be.
#[derive(InputObject)]
struct CreateApiKeyInput {
    /// What to call it: 1 to 50 characters on one line.
    name: String,
    /// What it may be used for: at least one.
    scopes: Vec<ApiScope>,
    /// Until when it is good: at most 366 days from now.
    expires_at: DateTime,
}

/// Which API key.
#[derive(InputObject)]
struct RevokeApiKeyInput {
    /// Its id.
    api_key_id: ApiKeyId,
}

/// Who wants to be forgotten.
#[derive(InputObject)]
struct DeleteAccountInput {
    /// The account's password.
    password: String,
}

/// What can be changed about an account's security.
#[Object]
impl SecurityMutation {
    /// Ends one of the viewer's sessions: its tokens are good no more, at once.
    #[graphql(directive = common::graphql::sdl::authenticated::apply())]
    async fn end_session(
        &self,
        ctx: &Context<'_>,
        input: EndSessionInput,
    ) -> Result<EndSessionPayload> {
        ctx.data::<Arc<Service>>()?.end_session(caller(ctx)?, input.session_id).await?;
        Ok(EndSessionPayload { ended_id: input.session_id })
    }

    /// Ends all of the viewer's sessions but the present one.
    #[graphql(directive = common::graphql::sdl::authenticated::apply())]
    async fn end_other_sessions(&self, ctx: &Context<'_>) -> Result<EndSessionsPayload> {
        let ended = ctx.data::<Arc<Service>>()?.end_other_sessions(caller(ctx)?).await?;
        Ok(EndSessionsPayload::of(ended))
    }

    /// Ends all sessions of a person; it takes the role ADMIN.
    #[graphql(directive = common::graphql::sdl::policy::apply(all_of(&[ADMIN])))]
    async fn end_sessions_of_user(
        &self,
        ctx: &Context<'_>,
        input: EndSessionsOfUserInput,
    ) -> Result<EndSessionsPayload> {
        let service = ctx.data::<Arc<Service>>()?;
        let ended = service.end_sessions_of(caller(ctx)?, input.user_id).await?;
        Ok(EndSessionsPayload::of(ended))
    }

    /// Changes the viewer's password and ends their other sessions. A mail tells them.
    #[graphql(directive = common::graphql::sdl::authenticated::apply())]
    async fn change_password(
        &self,
        ctx: &Context<'_>,
        input: ChangePasswordInput,
    ) -> Result<ChangePasswordPayload> {
        let (current, new) = (&input.current_password, &input.new_password);
        let service = ctx.data::<Arc<Service>>()?;
        let user = service.change_password(caller(ctx)?, current, new).await?;
        Ok(ChangePasswordPayload { user: User(user) })
    }

    /// Sends the viewer a mail with a link by which they confirm their address.
    #[graphql(directive = common::graphql::sdl::authenticated::apply())]
    async fn send_verification(&self, ctx: &Context<'_>) -> Result<SendVerificationPayload> {
        let email = ctx.data::<Arc<Service>>()?.send_verification(caller(ctx)?).await?;
        Ok(SendVerificationPayload { email: email.as_str().to_owned() })
    }

    /// Confirms an address by the secret of the mail that was sent there.
    async fn verify_email(
        &self,
        ctx: &Context<'_>,
        input: VerifyEmailInput,
    ) -> Result<VerifyEmailPayload> {
        let user = ctx.data::<Arc<Service>>()?.verify_email(caller(ctx)?, &input.token).await?;
        Ok(VerifyEmailPayload { email: user.email.as_str().to_owned() })
    }

    /// Sends a mail to another address, with a link by which the viewer's account gets it; until then the present one stays good. A mail tells its
    /// owner. The answer is the same when another account has the address; a mail tells its owner, and nothing is changed.
    #[graphql(directive = common::graphql::sdl::authenticated::apply())]
    async fn request_email_change(
        &self,
        ctx: &Context<'_>,
        input: RequestEmailChangeInput,
    ) -> Result<RequestEmailChangePayload> {
        let (password, new) = (&input.current_password, &input.new_email);
        let service = ctx.data::<Arc<Service>>()?;
        let email = service.request_email_change(caller(ctx)?, password, new).await?;
        Ok(RequestEmailChangePayload { email: email.as_str().to_owned() })
    }

    /// Gives an account its new address, by the secret of the mail that was sent there. All its sessions end, but for the one this is asked with.
    /// The former address, if it was confirmed, is sent a link by which it can be undone.
    async fn confirm_email_change(
        &self,
        ctx: &Context<'_>,
        input: ConfirmEmailChangeInput,
    ) -> Result<ConfirmEmailChangePayload> {
        let service = ctx.data::<Arc<Service>>()?;
        let user = service.confirm_email_change(caller(ctx)?, &input.token).await?;
        Ok(ConfirmEmailChangePayload { email: user.email.as_str().to_owned() })
    }

    /// Gives an account its former address again, and a new password, by the secret of the mail that was sent there. All sessions and API keys
    /// of the account end. It does not sign in. The error is CONFLICT when another account has the address by now.
    async fn undo_email_change(
        &self,
        ctx: &Context<'_>,
        input: UndoEmailChangeInput,
    ) -> Result<UndoEmailChangePayload> {
        let service = ctx.data::<Arc<Service>>()?;
        let (token, new) = (&input.token, &input.new_password);
        let user = service.undo_email_change(caller(ctx)?, token, new).await?;
        Ok(UndoEmailChangePayload { email: user.email.as_str().to_owned() })
    }

    /// Sends a mail with a link by which a new password can be set, if the address has an account. The answer is the same if it has none.
    async fn request_password_reset(
        &self,
        ctx: &Context<'_>,
        input: RequestPasswordResetInput,
    ) -> Result<RequestPasswordResetPayload> {
        let service = ctx.data::<Arc<Service>>()?;
        let email = service.request_password_reset(caller(ctx)?, &input.email).await?;
        Ok(RequestPasswordResetPayload { email: email.as_str().to_owned() })
    }

    /// Sets a new password by the secret of a mail. All sessions and API keys of the account end. It does not sign in.
    async fn reset_password(
        &self,
        ctx: &Context<'_>,
        input: ResetPasswordInput,
    ) -> Result<ResetPasswordPayload> {
        let service = ctx.data::<Arc<Service>>()?;
        let user = service.reset_password(caller(ctx)?, &input.token, &input.new_password).await?;
        Ok(ResetPasswordPayload { email: user.email.as_str().to_owned() })
    }

    /// Makes a key by which a script acts for the viewer. The key itself is answered this once. A person has at most 20 that are good.
    #[graphql(directive = common::graphql::sdl::authenticated::apply())]
    async fn create_api_key(
        &self,
        ctx: &Context<'_>,
        input: CreateApiKeyInput,
    ) -> Result<CreateApiKeyPayload> {
        let service = ctx.data::<Arc<Service>>()?;
        let DateTime(expires_at) = input.expires_at;
        let made =
            service.create_api_key(caller(ctx)?, &input.name, &input.scopes, expires_at).await?;
        let (key, secret) = made;
        Ok(CreateApiKeyPayload { secret: secret.expose().to_owned(), api_key: ApiKey(key) })
    }

    /// Revokes one of the viewer's API keys: it is good no more, at once.
    #[graphql(directive = common::graphql::sdl::authenticated::apply())]
    async fn revoke_api_key(
        &self,
        ctx: &Context<'_>,
        input: RevokeApiKeyInput,
    ) -> Result<RevokeApiKeyPayload> {
        ctx.data::<Arc<Service>>()?.revoke_api_key(caller(ctx)?, input.api_key_id).await?;
        Ok(RevokeApiKeyPayload { revoked_id: input.api_key_id })
    }

    /// Has the viewer's account and everything in it deleted after some days, and signs them out everywhere. Logging in before that keeps it.
    #[graphql(directive = common::graphql::sdl::authenticated::apply())]
    async fn delete_account(
        &self,
        ctx: &Context<'_>,
        input: DeleteAccountInput,
    ) -> Result<DeleteAccountPayload> {
        let service = ctx.data::<Arc<Service>>()?;
        let delete_at = service.request_deletion(caller(ctx)?, &input.password).await?;
        for cookie in cookies(service).cleared() {
            ctx.append_http_header("set-cookie", cookie);
        }
        Ok(DeleteAccountPayload { deletion_due_at: DateTime(delete_at) })
    }
}

/// The answer to ending a session.
#[derive(SimpleObject)]
struct EndSessionPayload {
    /// The session that was ended.
    ended_id: SessionId,
}

/// The answer to ending several sessions.
#[derive(SimpleObject)]
struct EndSessionsPayload {
    /// How many were ended.
    ended_count: i32,
}

impl EndSessionsPayload {
    fn of(count: usize) -> Self {
        Self { ended_count: i32::try_from(count).unwrap_or(i32::MAX) }
    }
}

/// The answer to a change of the password.
#[derive(SimpleObject)]
struct ChangePasswordPayload {
    /// The account.
    user: User,
}

/// The answer to asking for a mail that confirms an address.
#[derive(SimpleObject)]
struct SendVerificationPayload {
    /// Where it goes.
    email: String,
}

/// The answer to confirming an address.
#[derive(SimpleObject)]
struct VerifyEmailPayload {
    /// The address, which is confirmed now.
    email: String,
}

/// The answer to asking for another address.
#[derive(SimpleObject)]
struct RequestEmailChangePayload {
    /// Where the mail goes.
    email: String,
}

/// The answer to confirming another address.
#[derive(SimpleObject)]
struct ConfirmEmailChangePayload {
    /// The address to log in with now.
    email: String,
}

/// The answer to undoing a change of the address.
#[derive(SimpleObject)]
struct UndoEmailChangePayload {
    /// The address to log in with now.
    email: String,
}

/// The answer to asking for a new password.
#[derive(SimpleObject)]
struct RequestPasswordResetPayload {
    /// Where the mail goes, if there is such an account.
    email: String,
}

/// The answer to setting a new password.
#[derive(SimpleObject)]
struct ResetPasswordPayload {
    /// The address to log in with now.
    email: String,
}

/// The answer to making an API key.
#[derive(SimpleObject)]
struct CreateApiKeyPayload {
    /// The key itself: keep it, it is shown this once.
    secret: String,
    /// What is known of it later.
    api_key: ApiKey,
}

/// The answer to revoking an API key.
#[derive(SimpleObject)]
struct RevokeApiKeyPayload {
    /// The key that was revoked.
    revoked_id: ApiKeyId,
}

/// The answer to asking for the end of an account.
#[derive(SimpleObject)]
struct DeleteAccountPayload {
    /// When the account will be deleted, unless its owner logs in before.
    deletion_due_at: DateTime,
}
