//! What can be changed.

use std::sync::Arc;

use async_graphql::{Context, InputObject, Object};
use common::graphql::sdl::{ADMIN, all_of};
use common::graphql::{Result, caller};
use common::{Role, UserId};

use super::types::{
    AuthPayload, LogOutPayload, SetRolePayload, SignUpPayload, UpdateProfilePayload, User,
};
use crate::cookies::Cookies;
use crate::service::{ProfileChange, Service, SignUp, SignedIn};

#[derive(Default)]
pub(crate) struct AccountMutation;

/// What it takes to sign up.
#[derive(InputObject)]
struct SignUpInput {
    /// An e-mail address of at most 254 bytes. Upper and lower case are the same.
    email: String,
    /// 8 to 128 characters, none of those passwords that everybody tries first.
    password: String,
    /// What to be called: 1 to 50 characters on one line.
    name: String,
    /// An IANA name such as `Europe/Zurich`; UTC when absent.
    time_zone: Option<String>,
}

/// What it takes to log in.
#[derive(InputObject)]
struct LogInInput {
    /// The account's address.
    email: String,
    /// The account's password.
    password: String,
    /// Whether to set cookies too: for browsers, whose scripts then need not keep the tokens.
    #[graphql(default)]
    cookies: bool,
}

/// What it takes to stay logged in.
#[derive(InputObject)]
struct RefreshTokensInput {
    /// The one that came with the last tokens. When absent: the one in the browser's cookie.
    refresh_token: Option<String>,
    /// Whether to set cookies too. They are set anew in any case when the token came in one.
    #[graphql(default)]
    cookies: bool,
}

/// What to change; what is absent or null stays.
#[derive(InputObject)]
struct UpdateProfileInput {
    /// What to be called: 1 to 50 characters on one line.
    name: Option<String>,
    /// An IANA name such as `Europe/Zurich`.
    time_zone: Option<String>,
    /// The hour at which a new day of learning starts: 0 to 23, in the time zone.
    rollover_hour: Option<i32>,
}

/// Which role of whom.
#[derive(InputObject)]
struct SetRoleInput {
    /// Whose.
    user_id: UserId,
    /// BETA or ADMIN; everybody has USER.
    role: Role,
    /// Whether the person is to have it.
    granted: bool,
}

/// What can be changed.
#[Object]
impl AccountMutation {
    /// Makes an account, and sends a mail to confirm the address. The answer is the same when the address has an account already, which then
    /// stays as it is; the mail tells its owner. It does not sign in.
    async fn sign_up(&self, ctx: &Context<'_>, input: SignUpInput) -> Result<SignUpPayload> {
        let input = SignUp {
            email: &input.email,
            password: &input.password,
            name: &input.name,
            time_zone: input.time_zone.as_deref(),
        };
        let email = ctx.data::<Arc<Service>>()?.sign_up(caller(ctx)?, input).await?;
        Ok(SignUpPayload { email: email.as_str().to_owned() })
    }

    /// Signs in. A wrong password and an unknown address get the same error, with the code WRONG_CREDENTIALS. After some wrong ones each
    /// further try must wait, with the code THROTTLED and `retryAfter` in seconds.
    async fn log_in(&self, ctx: &Context<'_>, input: LogInInput) -> Result<AuthPayload> {
        let service = ctx.data::<Arc<Service>>()?;
        let signed_in = service.log_in(caller(ctx)?, &input.email, &input.password).await?;
        if input.cookies {
            set_cookies(ctx, &signed_in)?;
        }
        Ok(signed_in.into())
    }

    /// New tokens for a refresh token. It is good once: when one turns up a second time it was copied, and the session ends. Only within 30
    /// seconds it gets the same next one again, because the answer may have been lost.
    async fn refresh_tokens(
        &self,
        ctx: &Context<'_>,
        input: RefreshTokensInput,
    ) -> Result<AuthPayload> {
        let service = ctx.data::<Arc<Service>>()?;
        let by_cookie = input.refresh_token.is_none();
        let answer = service.refresh(caller(ctx)?, input.refresh_token.as_deref()).await;
        let signed_in = answer.inspect_err(|_| {
            if by_cookie {
                clear_cookies(ctx, service);
            }
        })?;
        if input.cookies || by_cookie {
            set_cookies(ctx, &signed_in)?;
        }
        let mut payload = AuthPayload::from(signed_in);
        // What scripts could not read before they do not learn now.
        payload.refresh_token.take_if(|_| by_cookie);
        Ok(payload)
    }

    /// Ends the session: its tokens are good no more, at once, and the cookies are cleared.
    async fn log_out(&self, ctx: &Context<'_>) -> Result<LogOutPayload> {
        let service = ctx.data::<Arc<Service>>()?;
        let logged_out = service.log_out(caller(ctx)?).await?;
        clear_cookies(ctx, service);
        Ok(LogOutPayload { logged_out })
    }

    /// Changes what the signed-in person says about themself.
    #[graphql(directive = common::graphql::sdl::authenticated::apply())]
    async fn update_profile(
        &self,
        ctx: &Context<'_>,
        input: UpdateProfileInput,
    ) -> Result<UpdateProfilePayload> {
        let change = ProfileChange {
            name: input.name.as_deref(),
            time_zone: input.time_zone.as_deref(),
            rollover_hour: input.rollover_hour,
        };
        let user = ctx.data::<Arc<Service>>()?.update_profile(caller(ctx)?, change).await?;
        Ok(UpdateProfilePayload { user: User(user) })
    }

    /// Gives somebody a role or takes it; it takes the role ADMIN. A role that is given counts from the next refresh of the person's
    /// tokens; taking one signs the person out everywhere. The last one with ADMIN keeps it.
    #[graphql(directive = common::graphql::sdl::policy::apply(all_of(&[ADMIN])))]
    async fn set_role(&self, ctx: &Context<'_>, input: SetRoleInput) -> Result<SetRolePayload> {
        let service = ctx.data::<Arc<Service>>()?;
        let user = service.set_role(caller(ctx)?, input.user_id, input.role, input.granted).await?;
        Ok(SetRolePayload { user: User(user) })
    }
}

pub(super) fn cookies(service: &Service) -> Cookies {
    Cookies { secure: service.settings().secure_cookies }
}

fn clear_cookies(ctx: &Context<'_>, service: &Service) {
    for cookie in cookies(service).cleared() {
        ctx.append_http_header("set-cookie", cookie);
    }
}

fn set_cookies(ctx: &Context<'_>, signed_in: &SignedIn) -> Result<()> {
    let service = ctx.data::<Arc<Service>>()?;
    let (cookies, now) = (cookies(service), service.now());
    let refresh_token = signed_in.refresh_token.encode();
    for cookie in [
        cookies.access(&signed_in.access_token, signed_in.access_expires_at, now),
        cookies.refresh(&refresh_token, signed_in.refresh_expires_at, now),
    ] {
        ctx.append_http_header("set-cookie", cookie);
    }
    Ok(())
}
